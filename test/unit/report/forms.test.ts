import {createHash} from 'node:crypto';
import {DOMParser} from '@xmldom/xmldom';
import test from 'ava';
import {htmlReport} from '../../../src/report/html.ts';
import {htmlStyle} from '../../../src/report/html-style.ts';
import {junitXml} from '../../../src/report/junit.ts';
import {markdownSummary} from '../../../src/report/markdown.ts';
import {sarifDocument} from '../../../src/report/sarif.ts';
import type {TrendPoint} from '../../../src/report/trend.ts';
import {auditOf, hostile, hostileAudit, result, summary} from './sample-run.ts';

const control = {
  id: 'C-1',
  title: 'a control',
  severity: 'high',
  rationale: 'because',
  refs: ['https://example.org/c'],
};

test('JUnit: well-formed whatever hosts say, and the counts are those of the cases', (t) => {
  const complain = (level: string, message: string): void => {
    if (level === 'warning') return;
    throw new Error(`${level}: ${message}`);
  };
  const document = new DOMParser({onError: complain}).parseFromString(junitXml(hostileAudit()), 'text/xml');
  const suites = [...document.getElementsByTagName('testsuite')];
  t.is(suites.length, 3);
  for (const suite of suites) {
    const count = (tag: string): string => String(suite.getElementsByTagName(tag).length);
    t.deepEqual(
      ['tests', 'failures', 'errors', 'skipped'].map((name) => suite.getAttribute(name)),
      [count('testcase'), count('failure'), count('error'), count('skipped')],
    );
    t.regex(suite.getAttribute('timestamp') ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
  }
  t.is(document.getElementsByTagName('script').length, 0);
  t.true([...document.getElementsByTagName('failure')].some((f) => f.textContent?.includes('<script>') === true));
});

/** What both readers' schemas allow, and in which order. *source*: the junit.xsd of Apache Ant's reports and of Jenkins's xunit plugin. */
const junitShape: Readonly<Record<string, {readonly attributes: readonly string[]; readonly children: RegExp}>> = {
  testsuites: {attributes: [], children: /^(testsuite )*$/},
  testsuite: {
    attributes: ['id', 'package', 'name', 'hostname', 'timestamp', 'tests', 'failures', 'errors', 'skipped', 'time'],
    children: /^properties (testcase )*system-out system-err $/,
  },
  properties: {attributes: [], children: /^(property )*$/},
  property: {attributes: ['name', 'value'], children: /^$/},
  testcase: {attributes: ['classname', 'name', 'time'], children: /^(skipped |error |failure )?$/},
  skipped: {attributes: ['message'], children: /^$/},
  error: {attributes: ['message', 'type'], children: /^$/},
  failure: {attributes: ['message', 'type'], children: /^$/},
  'system-out': {attributes: [], children: /^$/},
  'system-err': {attributes: [], children: /^$/},
};

test("JUnit: elements, their order and their attributes are those of Ant's and of Jenkins's schema", (t) => {
  const document = new DOMParser().parseFromString(junitXml({...hostileAudit(), complete: false}), 'text/xml');
  const elements = [...document.getElementsByTagName('*')];
  t.true(elements.length > 20);
  for (const element of elements) {
    const shape = junitShape[element.tagName];
    t.deepEqual(
      [...element.attributes].map(({name}) => name),
      [...(shape?.attributes ?? ['an element that nobody knows'])],
    );
    const names = [...element.childNodes].filter((node) => node.nodeType === 1).map((node) => `${node.nodeName} `);
    t.regex(names.join(''), shape?.children ?? /^never$/);
    for (const [name, form] of [
      ['time', /^\d+\.\d{3}$/],
      ['tests', /^\d+$/],
    ] as const)
      if (element.hasAttribute(name)) t.regex(element.getAttribute(name) ?? '', form);
  }
});

test('JUnit: what is skipped, unknown or broken off is no passed case', (t) => {
  const xml = junitXml(
    auditOf({web1: summary('ok')}, [
      result({status: 'skipped', message: 'condition is false'}),
      result({status: 'unknown', at: 'b.yml:2:1'}),
    ]),
  );
  t.is(xml.match(/<skipped /g)?.length, 2);
  t.regex(xml, /not applicable: condition is false/);
  t.regex(junitXml({...auditOf({}, []), complete: false}), /<error .*did not come to its end/);
});

type Sarif = {
  version: string;
  runs: {
    tool: {driver: {name: string; rules: {id: string; shortDescription: {text: string}; helpUri?: string}[]}};
    invocations: {executionSuccessful: boolean; exitCode: number}[];
    results: {
      ruleId: string;
      ruleIndex: number;
      level: string;
      kind: string;
      message: {text: string};
      locations: {physicalLocation: {artifactLocation: {uri: string}; region: {startLine: number}}}[];
      partialFingerprints: Record<string, string>;
    }[];
  }[];
};

test('SARIF: what the standard requires, places that can be opened, rules that results point at', (t) => {
  const sarif = sarifDocument(hostileAudit(), '1.2.3') as Sarif;
  t.is(sarif.version, '2.1.0');
  const [run] = sarif.runs;
  t.is(run?.tool.driver.name, 'tsplay');
  t.false(run?.invocations[0]?.executionSuccessful);
  const rules = run?.tool.driver.rules ?? [];
  t.is(new Set(rules.map((r) => r.id)).size, rules.length);
  t.is(rules.find((r) => r.id === 'SSH-1')?.helpUri, 'https://example.org/ssh');
  for (const found of run?.results ?? []) {
    t.is(rules[found.ruleIndex]?.id, found.ruleId);
    t.true(found.message.text.length > 0);
    t.is(found.kind === 'open', found.level === 'none');
    const place = found.locations[0]?.physicalLocation;
    t.true(URL.canParse(place?.artifactLocation.uri ?? '', 'file:///base/'));
    t.notRegex(place?.artifactLocation.uri ?? ' ', / /);
    t.true((place?.region.startLine ?? 0) >= 1);
  }
  const failed = run?.results.find((r) => r.ruleId === 'failed');
  t.like(failed?.locations[0]?.physicalLocation, {
    artifactLocation: {uri: 'file:///srv/a%20b/site.yml'},
    region: {startLine: 12, startColumn: 5},
  });
});

test('SARIF: differences alone are a successful run; passes are no results; a fingerprint stays when the line moves', (t) => {
  const at = (place: string): Sarif =>
    sarifDocument(
      auditOf({web1: summary('changed'), web2: summary('ok')}, [
        result({status: 'changed', control, at: place}),
        result({host: 'web2', control}),
      ]),
      '1',
    ) as Sarif;
  const [run] = at('a.yml:4:1').runs;
  t.true(run?.invocations[0]?.executionSuccessful);
  t.is(run?.results.length, 1);
  t.deepEqual(run?.results[0]?.partialFingerprints, at('a.yml:40:1').runs[0]?.results[0]?.partialFingerprints);
});

test('HTML: no script, no attribute that acts, no resource; the policy allows the style and nothing else', (t) => {
  const page = htmlReport(hostileAudit());
  t.notRegex(page, /<script|<img|<link|<iframe|<[^>]*\son\w+\s*=|<[^>]*\s(?:src|style)\s*=|javascript:/i);
  t.notRegex(page, /[\u0000-\u0008\u000b-\u001f\u202e\ufffe]/);
  const style = /<style>([^]*?)<\/style>/.exec(page)?.[1] ?? '';
  const hash = createHash('sha256').update(style).digest('base64');
  t.true(
    page.includes(`content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'"`),
  );
  t.notRegex(style, /url\(|@import/);
  t.true(page.includes('&lt;script&gt;alert(1)'));
});

test('HTML: every link of the matrix leads to a finding, and diffs keep their blanks', (t) => {
  const page = htmlReport(
    auditOf({web1: summary('changed'), web2: summary('changed'), web3: summary('ok')}, [
      ...['web1', 'web2'].map((host) =>
        result({host, status: 'changed', control, changes: [{what: 'f', before: 'x\n  a\n', after: 'x\n  b\n'}]}),
      ),
      result({host: 'web3', control}),
    ]),
  );
  const links = [...page.matchAll(/href="#([^"]+)"/g)].map((m) => m[1] ?? '');
  t.is(links.filter((name) => name === 'finding-1').length, 2);
  for (const name of links) t.is(page.split(`id="${name}"`).length, 2, name);
  t.true(page.includes('<del>-  a</del>\n<ins>+  b</ins>'));
  t.true(page.includes('web1, web2'));
  t.regex(page, /33 %/);
});

test('HTML: many hosts stand below each other, with numbered rules in tables that fit on paper', (t) => {
  const hosts = Array.from({length: 40}, (_, i) => `web${i}`);
  const page = htmlReport(
    auditOf(
      Object.fromEntries(hosts.map((host) => [host, summary('ok')])),
      Array.from({length: 20}, (_, i) => hosts.map((host) => result({host, at: `a.yml:${i + 1}:1`}))).flat(),
    ),
  );
  t.is(page.match(/<table class="matrix">/g)?.length, 2);
  t.is(page.match(/<th scope="row">web7<\/th>/g)?.length, 2);
  t.regex(page, /100 %/);
});

test('Markdown: hosts cannot make markup, and no diff ends its own fence', (t) => {
  const text = markdownSummary(hostileAudit());
  const lines = text.split('\n');
  let fence: string | undefined;
  for (const line of lines) {
    if (fence === undefined) fence = /^(`{3,})diff$/.exec(line)?.[1];
    else if (line === fence) fence = undefined;
    const isCode = fence !== undefined || line.startsWith('```');
    if (!isCode) t.notRegex(line, /(?<!\\)<|(?<!\\)!\[/, line);
  }
  t.is(fence, undefined);
  t.regex(text, /^\| host \| status \| fail \| error \| unknown \|/m);
});

test('HTML: that a host was unreachable is told once, and all of its cells lead there', (t) => {
  const control2 = {...control, id: 'C-2'};
  const page = htmlReport(
    auditOf({web1: summary('ok'), gone: summary('unreachable')}, [result({control}), result({control: control2})]),
  );
  t.is(page.split('<article').length - 1, 1);
  t.is(page.split('href="#finding-1"').length - 1, 3);
});

test('HTML: the trend is a drawing with its numbers as a table, and says what has changed', (t) => {
  const audit = auditOf({web1: summary('ok')}, [result({control})]);
  const point = (id: string, day: number, passed: number): TrendPoint => ({
    id,
    started: `2026-01-0${day}T00:00:00Z`,
    passed,
    judged: 10,
  });
  const page = htmlReport(audit, [point('a', 1, 5), point('b', 2, 7), point('r1', 3, 6)]);
  t.is(page.split('<circle').length - 1, 3);
  t.regex(page, /10\.0 points worse than the run before/);
  t.is(page.split('<th scope="row">').length - 1, 3 + 1);
  t.regex(htmlReport(audit, [point('r1', 3, 6)]), /no earlier run/);
  t.notRegex(htmlReport(audit, [{...point('"><b>', 1, 5), started: hostile}, point('r1', 3, 6)]), /<b>|<script/);
});

test('HTML: text has a contrast of 4.5:1 on its background, in light, in dark and on paper', (t) => {
  const themes = [...htmlStyle.matchAll(/:root\{([^}]*)\}/g)].map(([, body = '']) => body);
  t.is(themes.length, 3);
  const known: Record<string, string> = {};
  for (const theme of themes) {
    for (const [, name = '', colour = ''] of theme.matchAll(/--([\w-]+):(#[0-9a-f]+)/g)) known[name] = colour;
    const pairs = [
      ...['text', 'dim', 'link'].flatMap((text) => ['bg', 'soft'].map((bg) => [text, bg] as const)),
      ...['text'].flatMap((text) => ['add', 'del'].map((bg) => [text, bg] as const)),
      ...['pass', 'fail', 'error', 'unknown', 'waived', 'none'].flatMap((v) =>
        [`${v}-bg`, 'bg'].map((bg) => [v, bg] as const),
      ),
    ];
    for (const [text, bg] of pairs) {
      const ratio = contrast(known[text] ?? '', known[bg] ?? '');
      t.true(ratio >= 4.5, `${text} on ${bg}: ${ratio.toFixed(2)}`);
    }
  }
});

/** *source*: WCAG 2.2, relative luminance and contrast ratio. */
function contrast(a: string, b: string): number {
  const light = (colour: string): number => {
    const digits = colour.length === 4 ? colour.slice(1).replace(/./g, '$&$&') : colour.slice(1);
    const [r = 0, g = 0, blue = 0] = [0, 2, 4]
      .map((at) => parseInt(digits.slice(at, at + 2), 16) / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * blue;
  };
  const [high = 0, low = 0] = [light(a), light(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}
