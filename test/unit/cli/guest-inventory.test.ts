// Guests of KVM hosts as an inventory: what virsh says, and what becomes of it.
import test from 'ava';
import {inventoryOf, parseGuests} from '../../../src/cli/guest-inventory.ts';

const encoded = (name: string): string => Buffer.from(`${name}\n`).toString('base64');
const said = `guest u1 ${encoded('web')} running
address u1 fe80::1
address u1 2001:db8::5
address u1 192.168.122.7
guest u2 ${encoded('two words')} shut off
`;

test('guests, their states and addresses', (t) => {
  t.deepEqual(parseGuests(said), [
    {name: 'web', uuid: 'u1', state: 'running', addresses: ['192.168.122.7', '2001:db8::5']},
    {name: 'two words', uuid: 'u2', state: 'shut_off', addresses: []},
  ]);
  t.deepEqual(parseGuests(''), []);
});

test('an inventory with groups by host and state, each guest reached through its host', (t) => {
  const guests = parseGuests(said);
  const target = (address: string) => ({address, user: 'admin', port: 2222});
  t.deepEqual(
    inventoryOf([
      {host: 'kvm-1', target: target('10.0.0.1'), guests},
      {host: 'kvm2', target: target('fd00::2'), guests: guests.slice(0, 1)},
    ]),
    {
      kvm_guests: {hosts: ['web.kvm-1', 'two words', 'web.kvm2']},
      guests_of_kvm_1: {hosts: ['web.kvm-1', 'two words']},
      guests_of_kvm2: {hosts: ['web.kvm2']},
      guests_running: {hosts: ['web.kvm-1', 'web.kvm2']},
      guests_shut_off: {hosts: ['two words']},
      _meta: {
        hostvars: {
          'web.kvm-1': {
            guest_domain: 'web',
            guest_uuid: 'u1',
            guest_state: 'running',
            guest_host: 'kvm-1',
            ansible_host: '192.168.122.7',
            ansible_ssh_common_args: '-o ProxyJump=admin@10.0.0.1:2222',
          },
          'two words': {
            guest_domain: 'two words',
            guest_uuid: 'u2',
            guest_state: 'shut_off',
            guest_host: 'kvm-1',
            ansible_ssh_common_args: '-o ProxyJump=admin@10.0.0.1:2222',
          },
          'web.kvm2': {
            guest_domain: 'web',
            guest_uuid: 'u1',
            guest_state: 'running',
            guest_host: 'kvm2',
            ansible_host: '192.168.122.7',
            ansible_ssh_common_args: '-o ProxyJump=admin@[fd00::2]:2222',
          },
        },
      },
    },
  );
});
