import test from 'ava';
import {contentsText, describeDevice} from '../../../src/formats/device-contents.ts';

// Texts as blkid, wipefs and lsblk of util-linux 2.38 print them.
const cases: Record<string, [said: {blkid?: string; wipefs?: string; lsblk?: string}, words: string[]]> = {
  'a blank device': [
    {
      blkid: '',
      wipefs: '{\n   "signatures": [\n\n   ]\n}\n',
      lsblk:
        '{"blockdevices": [{"name":"sda","path":"/dev/sda","type":"disk","fstype":null,"mountpoints":[null],"size":1048576}]}',
    },
    [],
  ],
  'a file system': [
    {
      blkid: 'DEVNAME=/dev/sda\nLABEL=my\\ data\nUUID=7ec1\nBLOCK_SIZE=1024\nTYPE=ext4\nUSAGE=filesystem\n',
      wipefs: '{"signatures":[{"device":"sda","offset":"0x438","type":"ext4","uuid":"7ec1","label":"my data"}]}',
    },
    ['ext4 file system "my data"'],
  ],
  'LUKS, both headers of it, open and mounted': [
    {
      wipefs:
        '{"signatures":[{"offset":"0x0","type":"crypto_LUKS","uuid":"d085","label":"tslab"},{"offset":"0x4000","type":"crypto_LUKS","uuid":"d085","label":"tslab"}]}',
      lsblk:
        '{"blockdevices":[{"path":"/dev/vg/lv","type":"lvm","fstype":"crypto_LUKS","uuid":"d085","label":"tslab","mountpoints":[null],"size":10,"children":[{"path":"/dev/mapper/cr_x","type":"crypt","fstype":"ext4","mountpoints":["/srv"],"size":9}]}]}',
    },
    ['LUKS container "tslab"', 'open as /dev/mapper/cr_x', 'mounted at /srv'],
  ],
  'a partition table': [
    {
      blkid: 'DEVNAME=/dev/sda\nPTUUID=aa-bb\nPTTYPE=gpt\n',
      lsblk:
        '{"blockdevices":[{"path":"/dev/sda","type":"disk","pttype":"gpt","children":[{"path":"/dev/sda1","type":"part","mountpoint":"/boot"}]}]}',
    },
    ['partition table (GPT)', 'in use by /dev/sda1 (part)', 'mounted at /boot'],
  ],
  'swap in use': [
    {lsblk: '{"blockdevices":[{"path":"/dev/sda","fstype":"swap","mountpoints":["[SWAP]"]}]}'},
    ['swap space', 'used as swap'],
  ],
  'part of a volume group': [{blkid: 'TYPE=LVM2_member\nUUID=x\n'}, ['LVM physical volume']],
};
for (const [name, [said, words]] of Object.entries(cases)) {
  test(name, (t) => {
    const contents = describeDevice(said);
    t.deepEqual(contents.ok && contentsText(contents.value), words);
  });
}

test('the size', (t) => {
  const contents = describeDevice({lsblk: '{"blockdevices":[{"path":"/dev/sda","size":1048576}]}'});
  t.is(contents.ok && contents.value.sizeBytes, 1048576);
});

test('an output that is not understood is not a blank device', (t) => {
  for (const said of [{lsblk: 'lsblk: not a block device'}, {wipefs: '{}'}]) t.false(describeDevice(said).ok);
});
