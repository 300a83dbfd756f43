/** Directories that no playbook may mean to remove; a typing error or an empty variable in a path ends here. *source*: hier(7). */
const top =
  'bin boot dev etc home lib lib32 lib64 libx32 lost+found media mnt opt proc root run sbin srv sys tmp usr var';
const below = {
  '/usr': 'bin include lib lib32 lib64 libexec libx32 local sbin share src',
  '/usr/local': 'bin lib sbin share',
  '/var': 'cache lib local lock log mail opt run spool tmp',
  '/var/lib': 'dpkg rpm apt pacman systemd libvirt',
  '/etc': 'apt init.d pam.d security ssh ssl sudoers.d systemd',
  '/run': 'systemd lock user udev',
};

const systemPaths = new Set([
  '/',
  ...top.split(' ').map((name) => `/${name}`),
  ...Object.entries(below).flatMap(([directory, names]) => names.split(' ').map((name) => `${directory}/${name}`)),
]);

/** Whether a (normalized, absolute) path is one that is never removed. */
export function isSystemPath(path: string): boolean {
  return systemPaths.has(path);
}
