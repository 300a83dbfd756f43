import type {Audit} from './audit.ts';
import {markup, type Markup} from './html-text.ts';
import {daysLeft, isExpired, type Waiver} from './waiver.ts';

/** *units*: days before a waiver's end from which on it is said how many are left. */
const soon = 30;

/** Who answers for what, and whether it still holds. Nothing where there are none. */
export function waiversMarkup(audit: Audit): Markup {
  if (audit.waivers.length === 0) return markup``;
  return markup`<section aria-labelledby="waivers">
    <h2 id="waivers">Waivers</h2>
    <div class="scroll" role="region" aria-label="Waivers" tabindex="0">
      <table class="wide">
        <thead>
          <tr>
            <th scope="col">Control</th>
            <th scope="col">Hosts</th>
            <th scope="col">Owner</th>
            <th scope="col">Reason</th>
            <th scope="col">Until</th>
            <th scope="col">State</th>
          </tr>
        </thead>
        <tbody>
          ${audit.waivers.map(
            (waiver) =>
              markup`<tr>
                <th scope="row">${waiver.controls.join(', ')}</th>
                <td>${waiver.pattern}</td>
                <td>${waiver.owner}</td>
                <td>${waiver.reason}</td>
                <td><time datetime="${waiver.expires}">${waiver.expires}</time></td>
                <td>${stateMarkup(waiver, audit)}</td>
              </tr> `,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

function stateMarkup(waiver: Waiver, audit: Audit): Markup {
  if (isExpired(waiver, audit.run.started)) return markup`<span class="badge v-fail">expired</span>`;
  const left = daysLeft(waiver, audit.run.started);
  const uses = audit.judgements.filter((j) => j.verdict === 'waived' && j.waiver?.at === waiver.at).length;
  const ending = left <= soon ? markup` <span class="badge v-unknown">${left} days left</span>` : undefined;
  if (uses === 0) return markup`<span class="badge v-not-applicable">not needed</span>${ending}`;
  return markup`<span class="badge v-waived">waives ${uses} ${uses === 1 ? 'judgement' : 'judgements'}</span>${ending}`;
}
