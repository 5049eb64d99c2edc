//! Claims about the sandbox's entrata, over real sockets.
