import {lastLine, runIn} from './lab-host.ts';
import type {Proof, Seen} from './proof.ts';
import {secretOf} from './site-secrets.ts';

const host = 'crypt1';
const device = '/dev/volgrp4/lvimap_hd0';
const mapping = 'cr_imap_encr';
const backup = '/root/luks/cr_imap_encr.header';

/** A field of `cryptsetup status`, such as `cipher`. */
function field(text: string, name: string): string {
  return new RegExp(`^\\s*${name}:\\s*(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
}

async function open(): Promise<Seen> {
  const {stdout} = await runIn(host, ['cryptsetup', 'status', mapping]);
  const saw = ['type', 'cipher', 'keysize'].map((name) => field(stdout, name)).join(', ');
  return {holds: stdout.includes('is active') && saw === 'LUKS2, aes-xts-plain64, 512 bits', saw};
}

async function opens(passphrase: string): Promise<boolean> {
  const argv = ['cryptsetup', 'open', '--test-passphrase', '--key-file', '-', device];
  return (await runIn(host, argv, passphrase)).exit === 0;
}

async function backupFits(): Promise<Seen> {
  const script = `set -e; [ "$(stat -c '%a %U' ${backup})" = '600 root' ]
[ "$(cryptsetup luksUUID ${backup})" = "$(cryptsetup luksUUID ${device})" ]; cryptsetup luksUUID ${backup}`;
  const ended = await runIn(host, ['sh', '-c', script]);
  return {
    holds: ended.exit === 0,
    saw: ended.exit === 0 ? `0600, UUID ${lastLine(ended.stdout)}` : 'no backup that fits',
  };
}

/** The encrypted volume as it stands open on its host. */
export function luksProofs(): readonly Proof[] {
  return [
    {host, claim: 'the mapping is open, cipher and key size as declared', prove: open},
    {
      host,
      claim: 'its passphrase opens it, another does not',
      prove: async () => {
        const passphrase = await secretOf(host, 'vault_imap');
        const seen = [await opens(passphrase), await opens(`${passphrase}x`)];
        return {
          holds: seen[0] === true && seen[1] === false,
          saw: `right: ${seen[0] ? 'opens' : 'refused'}, wrong: ${seen[1] ? 'opens' : 'refused'}`,
        };
      },
    },
    {host, claim: 'the header is backed up', prove: backupFits},
    {
      host,
      claim: 'crypttab knows it for the next boot',
      prove: async () => {
        const {stdout} = await runIn(host, ['cat', '/etc/crypttab']);
        const line = stdout.split('\n').find((one) => one.startsWith(`${mapping} `) || one.startsWith(`${mapping}\t`));
        return {holds: line !== undefined, saw: line?.replace(/\s+/g, ' ') ?? 'no entry'};
      },
    },
  ];
}
