// The table of tags, held to the real ansible-playbook where this machine has one.
import {execFile, execFileSync} from 'node:child_process';
import {join} from 'node:path';
import {promisify} from 'node:util';
import test from 'ava';
import {split, tagTable} from '../../support/tag-table.ts';
import {withFiles} from '../../support/temp-site.ts';

const run = promisify(execFile);

function hasAnsible(): boolean {
  try {
    execFileSync('ansible-playbook', ['--version'], {stdio: 'ignore'});
    return true;
  } catch {
    return false;
  }
}

(hasAnsible() ? test : test.skip)('ansible-playbook selects the same tasks by tags', async (t) => {
  t.timeout(120_000);
  const tasks = tagTable.map(([own], i) => `    - {name: "task ${i}.", debug: {}, tags: [${own}]}`).join('\n');
  await withFiles({'site.yml': `- hosts: all\n  gather_facts: false\n  tasks:\n${tasks}\n`}, async (cwd) => {
    const pairs = new Set(tagTable.map(([, tags, skip]) => `${tags}\n${skip}`));
    for (const pair of pairs) {
      const [tags = '', skip = ''] = pair.split('\n');
      const options = [
        ...split(tags).flatMap((tag) => ['-t', tag]),
        ...split(skip).flatMap((tag) => ['--skip-tags', tag]),
      ];
      const {stdout} = await run('ansible-playbook', ['-i', 'h,', '--list-tasks', ...options, join(cwd, 'site.yml')], {
        cwd,
      });
      tagTable.forEach(([own, wanted, skipped, expected], i) => {
        if (wanted !== tags || skipped !== skip) return;
        t.is(stdout.includes(`task ${i}.`), expected, `[${own}] -t ${tags} --skip-tags ${skip}`);
      });
    }
  });
});
