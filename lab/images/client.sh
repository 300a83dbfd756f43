# A machine with a real SPICE client library, driven from Python without a display.
packages="gir1.2-spiceclientglib-2.0 python3-gi openssh-client"
finish() { :; }
