import {change, converged, defineModule, group, p, predictGroup, refuse, type Op} from '#kit';

/** A local group. *source*: Ansible's group; groupadd(8). */
export default defineModule({
  name: 'group',
  summary: 'A group',
  params: {
    name: p.string('the group', {
      required: true,
      pattern: '^[A-Za-z_][A-Za-z0-9_.@-]*\\$?$',
      describe: 'a group name (letters, digits, `_`, `-`, `.`)',
    }),
    gid: p.integer('its number', {min: 0}),
    system: p.boolean('a system group (number from the system range)', {default: false}),
    state: p.choice(['present', 'absent'], 'whether it shall exist', {default: 'present'}),
    non_unique: p.boolean('another group may have the same number', {default: false}),
    local: p.boolean('accepted for compatibility: groupadd and its like are local'),
    force: p.boolean('accepted for compatibility: a group that is the primary one of an account is not removed'),
  },
  examples: ['- group:\n    name: operators\n    system: true\n'],
  probe: (v) => group(v.name),
  plan: (v, now) => {
    const affects = [`group:${v.name}`, 'account:*'] as const;
    if (v.state === 'absent') {
      if (now.type === 'absent') return converged();
      return change(
        [{what: 'group', before: v.name, after: undefined}],
        [
          {
            op: 'run',
            argv: ['groupdel', v.name],
            affects,
            predicts: [{key: affects[0], value: {type: 'absent'}}, predictGroup(v.name, false)],
          },
        ],
      );
    }
    if (now.type === 'absent') {
      const argv: [string, ...string[]] = [
        'groupadd',
        ...(v.gid === undefined ? [] : ['-g', String(v.gid)]),
        ...(v.non_unique && v.gid !== undefined ? ['-o'] : []),
        ...(v.system ? ['-r'] : []),
        v.name,
      ];
      const op: Op = {
        op: 'run',
        argv,
        affects: [affects[0]],
        predicts: [
          ...(v.gid === undefined ? [] : [{key: affects[0], value: {type: 'group', gid: v.gid, members: []}} as const]),
          predictGroup(v.name, true),
        ],
      };
      return change(
        [
          {what: 'group', before: undefined, after: v.name},
          ...(v.gid === undefined ? [] : [{what: 'gid', before: undefined, after: String(v.gid)}]),
        ],
        [op],
      );
    }
    if (v.gid !== undefined && v.gid !== now.gid) {
      if (v.gid === 0 || now.gid === 0) return refuse('root-group', 'the number of group 0 is not changed');
      return change(
        [{what: 'gid', before: String(now.gid), after: String(v.gid)}],
        [
          {
            op: 'run',
            argv: ['groupmod', '-g', String(v.gid), ...(v.non_unique ? ['-o'] : []), v.name],
            affects,
            predicts: [{key: affects[0], value: {...now, gid: v.gid}}],
          },
        ],
      );
    }
    return converged();
  },
  result: (v, _before, after) => ({
    name: v.name,
    state: v.state,
    gid: 'type' in after && after.type === 'group' ? after.gid : null,
  }),
});
