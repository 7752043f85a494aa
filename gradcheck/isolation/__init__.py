"""Code of others runs in a process of its own: it may hang, print, crash or leave, and we go on."""
