# A libvirt host. The SPICE module of QEMU comes with qemu-system-common, a dependency.
packages="libvirt-daemon-system libvirt-clients qemu-system-x86 qemu-utils"
finish() { :; }
