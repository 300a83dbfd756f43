import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {readReportFiles, writeReports, type ReportFile} from '../../../src/cli/report-files.ts';
import {auditOf, result, summary} from '../report/sample-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'tsplay-report-'));
test.after.always(() => {
  rmSync(folder, {recursive: true, force: true});
});

const audit = auditOf({web1: summary('ok')}, [result({})], {exit: 0});
const json = {schema: 1, run: audit.run, hosts: audit.hosts, tasks: [], problems: []} as const;

for (const [given, code] of [
  ['html', 'bad-report'],
  ['pdf=x', 'bad-report'],
  ['html=', 'bad-report'],
  ['=x', 'bad-report'],
  ['html=missing/x.html', 'report-unwritable'],
  ['html=.', 'report-unwritable'],
] as const) {
  test(`--report ${given} is refused before anything is attempted`, (t) => {
    const {files, problems} = readReportFiles([given], folder);
    t.deepEqual([files.length, problems.map((p) => p.code)], [0, [code]]);
  });
}

test('all forms, each in its file; a name may hold an equals sign; no file twice', (t) => {
  const given = ['html=a', 'junit=b', 'json=c', 'sarif=d', 'md=e=f'];
  t.deepEqual(
    readReportFiles(given, folder).files.map((file) => file.path),
    ['a', 'b', 'c', 'd', 'e=f'].map((name) => join(folder, name)),
  );
  t.is(readReportFiles(['html=a', 'md=./a'], folder).problems.length, 1);
});

test('new files are 0600, others keep their mode and their links, and nothing is left lying beside them', async (t) => {
  const home = join(folder, 'written');
  mkdirSync(home);
  writeFileSync(join(home, 'old.html'), 'old');
  chmodSync(join(home, 'old.html'), 0o644);
  symlinkSync('old.html', join(home, 'link.html'));
  const {files} = readReportFiles(['junit=new.xml', 'html=link.html', 'sarif=s.json', 'md=m.md', 'json=j.json'], home);
  t.deepEqual(await writeReports(files, {audit, json, trend: []}), []);
  const modeOf = (name: string): number => statSync(join(home, name)).mode & 0o777;
  t.deepEqual([modeOf('new.xml'), modeOf('old.html')], [0o600, 0o644]);
  t.regex(readFileSync(join(home, 'old.html'), 'utf8'), /^<!doctype html>/);
  t.deepEqual(readdirSync(home).toSorted(), ['j.json', 'link.html', 'm.md', 'new.xml', 'old.html', 's.json']);
});

test('what cannot be written in the end is said, and the other reports are written', async (t) => {
  const files: ReportFile[] = [
    {form: 'md', path: join(folder, 'gone', 'a.md')},
    {form: 'md', path: join(folder, 'there.md')},
  ];
  const problems = await writeReports(files, {audit, json, trend: []});
  t.deepEqual(
    problems.map((p) => p.code),
    ['report-unwritable'],
  );
  t.true(existsSync(join(folder, 'there.md')));
});
