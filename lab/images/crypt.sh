# A host with a kernel of its own (User-Mode Linux), because device-mapper cannot be had in a namespace.
# The kernel binary stays in the layer, so that this machine needs no package for it.
packages="lvm2 dmsetup kmod udev user-mode-linux"
finish() { mkdir -p "$root/usr/lib/modules"; mv "$root"/usr/lib/uml/modules/* "$root/usr/lib/modules/"; }
