//! Claims about the sandbox's realpage, over real sockets.
