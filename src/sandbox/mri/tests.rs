//! Claims about the sandbox's mri, over real sockets.
