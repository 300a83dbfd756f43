import {markup, type Markup} from './html-text.ts';

/** How an earlier run of the same playbooks was judged. `started` is ISO 8601. */
export type TrendPoint = {
  readonly id: string;
  readonly started: string;
  readonly passed: number;
  readonly judged: number;
};

/** *units*: of the drawing. */
const size = {width: 640, height: 180, left: 74, right: 12, top: 12, bottom: 26};

/**
 * The score over time, oldest first and this run last: a drawing made here, so that the page needs no script, and its numbers as a table. Nothing where there is
 * no earlier run.
 */
export function trendMarkup(points: readonly TrendPoint[]): Markup {
  const judged = points.filter((point) => point.judged > 0);
  const last = judged.at(-1);
  const before = judged.at(-2);
  if (last === undefined || before === undefined)
    return markup`<section aria-labelledby="trend">
      <h2 id="trend">Trend</h2>
      <p class="dim">There is no earlier run of these playbooks to compare with.</p>
    </section>`;
  const change = share(last) - share(before);
  const said =
    Math.abs(change) < 0.05
      ? 'as in the run before'
      : `${Math.abs(change).toFixed(1)} points ${change > 0 ? 'better' : 'worse'} than the run before`;
  const summary = `${share(last).toFixed(1)} % now, ${said}`;
  return markup`<section aria-labelledby="trend">
    <h2 id="trend">Trend</h2>
    <p>${summary} (${before.started.slice(0, 16).replace('T', ' ')} UTC).</p>
    ${drawing(judged, summary)}
    <details>
      <summary>The numbers</summary>
      <div class="scroll" role="region" aria-label="Score of each run" tabindex="0">
        <table>
          <thead>
            <tr>
              <th scope="col">Run</th>
              <th scope="col">Started (UTC)</th>
              <th scope="col">Passed</th>
              <th scope="col">Judged</th>
              <th scope="col">Score</th>
            </tr>
          </thead>
          <tbody>
            ${judged.toReversed().map(
              (point) =>
                markup`<tr>
                  <th scope="row">${point.id}</th>
                  <td>${point.started.slice(0, 19).replace('T', ' ')}</td>
                  <td class="number">${point.passed}</td>
                  <td class="number">${point.judged}</td>
                  <td class="number">${share(point).toFixed(1)} %</td>
                </tr> `,
            )}
          </tbody>
        </table>
      </div>
    </details>
  </section>`;
}

function drawing(points: readonly TrendPoint[], summary: string): Markup {
  const {width, height, left, right, top, bottom} = size;
  const times = points.map(({started}) => Date.parse(started));
  const [first, end] = [Math.min(...times), Math.max(...times)];
  const x = (i: number): number =>
    left + (end === first ? 0.5 : ((times[i] ?? first) - first) / (end - first)) * (width - left - right);
  const y = (percent: number): number => top + (1 - percent / 100) * (height - top - bottom);
  const places = points.map((point, i) => `${x(i).toFixed(1)},${y(share(point)).toFixed(1)}`);
  return markup`<svg class="plot" viewBox="0 0 ${width} ${height}" role="img" aria-label="Score of ${points.length} runs: ${summary}">
    ${[0, 25, 50, 75, 100].map(
      (percent) =>
        markup`<line class="grid" x1="${left}" x2="${width - right}" y1="${y(percent)}" y2="${y(percent)}" /><text x="${left - 6}" y="${y(percent) + 4}" text-anchor="end">${percent} %</text>`,
    )}
    <polyline class="curve" points="${places.join(' ')}" />
    ${points.map(
      (point, i) =>
        markup`<circle class="dot" cx="${x(i).toFixed(1)}" cy="${y(share(point)).toFixed(1)}" r="${points.length > 40 ? 2 : 3.5}"><title>${point.started.slice(0, 16).replace('T', ' ')} UTC: ${point.passed} of ${point.judged} passed (${share(point).toFixed(1)} %)</title></circle>`,
    )}
    <text x="${left}" y="${height - 6}">${day(points[0])}</text>
    <text x="${width - right}" y="${height - 6}" text-anchor="end">${day(points.at(-1))}</text>
  </svg>`;
}

function share({passed, judged}: TrendPoint): number {
  return (100 * passed) / judged;
}

function day(point: TrendPoint | undefined): string {
  return point?.started.slice(0, 10) ?? '';
}
