import test from 'ava';
import {
  crypttabEntry,
  parseCrypttab,
  printCrypttab,
  removeCrypttabEntry,
  setCrypttabEntry,
} from '../../../src/formats/crypttab.ts';
import type {CrypttabEntry} from '../../../src/formats/crypttab.ts';
import {fstabEntry, parseFstab, printFstab, removeFstabEntry, setFstabEntry} from '../../../src/formats/fstab.ts';
import type {FstabEntry} from '../../../src/formats/fstab.ts';
import {membersOf, parseGroup, parsePasswd, parseShadow} from '../../../src/formats/passwd.ts';

test('accounts, groups and shadow records', (t) => {
  const accounts = parsePasswd(
    'root:x:0:0:root:/root:/bin/bash\n# c\n+::::::\nbroken:x\nuvmb:x:1001:1001:,,,:/home/uvmb:/usr/sbin/nologin\nn:x:5:44::/:\n',
  );
  t.deepEqual(
    accounts.map(({name, uid, gid, shell}) => [name, uid, gid, shell]),
    [
      ['root', 0, 0, '/bin/bash'],
      ['uvmb', 1001, 1001, '/usr/sbin/nologin'],
      ['n', 5, 44, '/bin/sh'],
    ],
  );
  const [kvm] = parseGroup('kvm:x:44:uvmb,root\nempty:x:45:\n');
  t.deepEqual(kvm, {name: 'kvm', gid: 44, members: ['uvmb', 'root']});
  t.deepEqual(membersOf(kvm!, accounts), ['n', 'root', 'uvmb']);
  t.deepEqual(parseGroup('empty:x:45:\n'), [{name: 'empty', gid: 45, members: []}]);
  const [locked, open] = parseShadow('a:!$y$hash:19000:0:99999:7:::\nb:$6$x:0::::\n');
  t.like(locked, {name: 'a', locked: true, lastChangeDay: 19000, minDays: 0, maxDays: 99999, warnDays: 7});
  t.false('expireDay' in locked!);
  t.like(open, {name: 'b', locked: false, lastChangeDay: 0});
  t.is(open?.hash.reveal(), '$6$x');
  t.false(JSON.stringify([locked, open]).includes('$'));
});

const crypttab = '# <target> <source>\nroot\tUUID=1\tnone\tluks,discard\n  data  /dev/sdb1  \n\nbroken\n';

test('crypttab entries are edited column by column', (t) => {
  t.deepEqual(crypttabEntry(parseCrypttab(crypttab), 'data'), {
    name: 'data',
    device: '/dev/sdb1',
    keyfile: 'none',
    options: [],
  });
  const set = (entry: CrypttabEntry): string => printCrypttab(setCrypttabEntry(parseCrypttab(crypttab), entry));
  const root: CrypttabEntry = {name: 'root', device: 'UUID=1', keyfile: 'none', options: ['discard', 'luks']};
  t.is(set(root), crypttab);
  t.is(set({...root, keyfile: '-'}), crypttab);
  t.is(set({...root, device: '/dev/x'}), crypttab.replace('UUID=1', '/dev/x'));
  t.is(set({...root, options: ['luks']}), crypttab.replace('luks,discard', 'luks'));
  t.is(
    set({name: 'data', device: '/dev/sdb1', keyfile: '/k', options: ['luks']}),
    crypttab.replace('/dev/sdb1  \n', '/dev/sdb1 /k luks  \n'),
  );
  t.is(set({name: 'new', device: '/dev/c', keyfile: 'none', options: []}), `${crypttab}new /dev/c none none\n`);
  t.is(printCrypttab(removeCrypttabEntry(parseCrypttab(crypttab), 'root')), crypttab.replace(/root.*\n/, ''));
  t.is(printCrypttab(setCrypttabEntry(parseCrypttab('a b'), root)), 'a b\nroot UUID=1 none discard,luks\n');
});

const fstab =
  '# c\nUUID=1  /\text4 errors=remount-ro,noatime 0  1\n/dev/a none swap sw 0 0\n/dev/b none swap sw 0 0\n//s/x /mnt/a\\040b cifs defaults\n';

test('fstab entries are edited column by column', (t) => {
  t.like(fstabEntry(parseFstab(fstab), '/mnt/a b/'), {
    source: '//s/x',
    type: 'cifs',
    options: ['defaults'],
    dump: 0,
    pass: 0,
  });
  t.like(fstabEntry(parseFstab(fstab), 'none', '/dev/b'), {source: '/dev/b'});
  const set = (entry: FstabEntry): string => printFstab(setFstabEntry(parseFstab(fstab), entry));
  const root: FstabEntry = {
    source: 'UUID=1',
    path: '/',
    type: 'ext4',
    options: ['noatime', 'errors=remount-ro'],
    dump: 0,
    pass: 1,
  };
  const share: FstabEntry = {source: '//s/x', path: '/mnt/a b', type: 'cifs', options: [], dump: 0, pass: 0};
  t.is(set(root), fstab);
  t.is(set(share), fstab);
  t.is(set({...root, pass: 2, options: [...root.options, 'defaults']}), fstab.replace('0  1', '0  2'));
  t.is(set({...share, options: ['ro']}), fstab.replace('defaults\n', 'ro 0 0\n'));
  t.is(set({...root, path: '/a\tb\\', options: ['x']}), `${fstab}UUID=1 /a\\011b\\134 ext4 x 0 1\n`);
  t.is(
    printFstab(removeFstabEntry(parseFstab(fstab), 'none', '/dev/a')),
    fstab.replace('/dev/a none swap sw 0 0\n', ''),
  );
});
