import { useState } from "preact/hooks";
import type { StatusAnswer } from "../src/web/answers.js";
import { count, rate, span, wholeSpan } from "../src/wording.js";
import { BlockDialog } from "./block.js";
import { Cells } from "./cells.js";
import { Charts } from "./charts.js";
import { html } from "./html.js";
import type { Live } from "./live.js";
import { Strip } from "./strip.js";
import { Endpoints, Workers } from "./tables.js";
import { useTheme } from "./theme.js";
import { Disk, Failures, Locks, Reorgs } from "./troubles.js";

const words = { well: "All is well", warning: "Look at this", critical: "Something is wrong" };

/** The page, from the top down. */
export function App({ live }: { live: Live }) {
  const { answer } = live;
  const [block, open] = useState<number | null>(null);
  if (answer === null) return null;
  const isOld = oldness(live, answer) !== null;
  return html`
    <a class="skip" href="#content">To the content</a>
    <${Top} live=${live} answer=${answer} />
    <main id="content" class=${isOld ? "old" : ""}>
      <${Headline} live=${live} answer=${answer} />
      <${Ranges} answer=${answer} />
      <${Strip} open=${open} />
      <${Cells} answer=${answer} open=${open} />
      <${Charts} />
      <div class="pair">
        <${Workers} answer=${answer} />
        <${Endpoints} answer=${answer} />
      </div>
      <${Failures} answer=${answer} open=${open} />
      <div class="trio">
        <${Reorgs} reorgs=${live.reorgs} />
        <${Locks} answer=${answer} />
        <${Disk} />
      </div>
    </main>
    <${Bottom} answer=${answer} />
    ${block !== null && html`<${BlockDialog} block=${block} open=${open} close=${() => open(null)} />`}
  `;
}

/** A read may be late on a busy server: only then is what is shown old. */
const lateSeconds = 6;

/** Why what is shown is old; null: it is not. */
function oldness(live: Live, { schemaError, schemaAgeSeconds }: StatusAnswer): string | null {
  if (live.isAway)
    return `No word from the daemon for ${span(live.ageSeconds)}. This is what was known; the page goes on by itself when it is back.`;
  if (schemaError === null || (schemaAgeSeconds !== null && schemaAgeSeconds < lateSeconds)) return null;
  const age = schemaAgeSeconds === null ? "" : ` What is shown is ${span(schemaAgeSeconds)} old.`;
  return `The database cannot be read: ${schemaError}.${age}`;
}

function Top({ live, answer }: { live: Live; answer: StatusAnswer }) {
  const [theme, next] = useTheme();
  const { schema } = answer;
  return html`<header class="top">
    <p class="name"><svg viewBox="0 0 16 16" aria-hidden="true"><rect x="1" y="1" width="6" height="6" rx="1.2" /><rect x="9" y="1" width="6" height="6" rx="1.2" opacity=".55" /><rect x="1" y="9" width="6" height="6" rx="1.2" opacity=".55" /><rect x="9" y="9" width="6" height="6" rx="1.2" opacity=".25" /></svg>blockmill</p>
    <p class="of">${schema?.head == null ? "" : `chain ${schema.head.chainId} · `}schema ${schema?.schema ?? "?"}</p>
    <p class=${`beat ${live.isAway ? "away" : "live"}`} role="status">${live.isAway ? "no word" : "live"}</p>
    <button type="button" class="quiet" onClick=${next} aria-label=${`Colours: ${theme}. Change`}>${theme === "auto" ? "◐" : theme === "light" ? "○" : "●"}</button>
  </header>`;
}

function Headline({ live, answer }: { live: Live; answer: StatusAnswer }) {
  const { sentence, schema, progress } = answer;
  const alerts = schema?.alerts ?? [];
  const old = oldness(live, answer);
  const level = old === null ? answer.level : "critical";
  return html`<section class=${`headline ${level}`} aria-labelledby="sentence">
    ${old !== null && html`<p class="stale" role="alert">${old}</p>`}
    <p class="level"><span class=${`dot ${level}`}></span>${old === null ? words[level] : "Out of date"}</p>
    <h1 id="sentence" class=${sentence.length > 90 ? "long" : ""}>${sentence}</h1>
    ${
      alerts.length > 0 &&
      html`<ul class="alerts">
        ${alerts.map(
          (alert) => html`<li key=${alert.kind}>
            <span class=${`tag ${alert.priority === "err" ? "critical" : "warning"}`}>${alert.kind.replaceAll("_", " ")}</span>
            <span class="dim">for ${span(alert.ageSeconds)}</span>
            <p>${alert.message}</p>
          </li>`,
        )}
      </ul>`
    }
    ${schema !== null && html`<${Numbers} schema=${schema} progress=${progress} />`}
  </section>`;
}

function Numbers({
  schema,
  progress,
}: {
  schema: NonNullable<StatusAnswer["schema"]>;
  progress: StatusAnswer["progress"];
}) {
  const { head, lagBlocks, lagIsAtLeast, newestBlock, blocksPerSecond, stored, jobs } = schema;
  const bounded = ({ count: value, atLeast }: { count: number; atLeast: boolean }) =>
    `${atLeast ? "≥ " : ""}${count(value)}`;
  const waiting = {
    count: jobs.pending.count + jobs.scheduled.count,
    atLeast: jobs.pending.atLeast || jobs.scheduled.atLeast,
  };
  const lag = progress?.lagSeconds ?? null;
  return html`<dl class="numbers">
    <${Figure} name="head" value=${head === null ? "–" : count(head.headNumber)} more=${head === null ? "not seen yet" : `${wholeSpan(head.headAgeSeconds)} old`} />
    <${Figure} name="behind" value=${lagBlocks === null ? "–" : bounded({ count: lagBlocks, atLeast: lagIsAtLeast })} more=${lag === null ? "" : `complete to ${wholeSpan(lag)} ago`} />
    <${Figure} name="finalized" value=${progress?.finalizedBlock == null ? "–" : count(progress.finalizedBlock)} more=${progress?.finalizedBlock == null || head === null ? "" : `${count(Math.max(0, head.headNumber - progress.finalizedBlock))} below the head`} />
    <${Figure} name="blocks/s" value=${rate(blocksPerSecond)} more="over the last minute" />
    <${Figure} name="stored" value=${bounded(stored)} more=${newestBlock === null ? "nothing yet" : `newest ${count(newestBlock)}`} />
    <${Figure} name="waiting" value=${bounded(waiting)} more=${`${bounded(jobs.processing)} in work`} />
    <${Figure} name="failed" value=${bounded(jobs.failed)} more=${jobs.failed.count === 0 ? "nothing" : "blockmill retry --all"} level=${jobs.failed.count === 0 ? "" : "critical"} />
  </dl>`;
}

function Figure({
  name,
  value,
  more,
  level = "",
}: {
  name: string;
  value: string;
  more: string;
  level?: string;
}) {
  return html`<div class=${level}><dt>${name}</dt><dd><b>${value}</b><span>${more}</span></dd></div>`;
}

function Ranges({ answer }: { answer: StatusAnswer }) {
  const { schema } = answer;
  if (schema === null || schema.ranges.ranges.length === 0) return null;
  const { ranges, total } = schema.ranges;
  const more = total.count - ranges.length;
  // They are done one after the other: what is before a range delays it.
  let before = schema.jobs.pending.count + schema.jobs.processing.count;
  return html`<section class="card" aria-labelledby="ranges-title">
    <header class="card-head">
      <h2 id="ranges-title">Open ranges</h2>
      ${more > 0 && html`<p class="aside">and ${total.atLeast ? "at least " : ""}${count(more)} more</p>`}
    </header>
    <ul class="ranges">
      ${ranges.map(({ id, from, to, next }) => {
        const left = to + 1 - next;
        before += left;
        const percent = Math.floor(((next - from) * 100) / (to - from + 1));
        const eta =
          schema.blocksPerSecond > 0 ? `done in about ${span(before / schema.blocksPerSecond)}` : "it stands";
        return html`<li key=${id}>
          <div><b>${count(from)} to ${count(to)}</b><span>${count(left)} left, ${schema.pause === null ? eta : "paused"}</span></div>
          <progress max="100" value=${percent} aria-label=${`range ${id}: ${percent} % are jobs`}></progress>
        </li>`;
      })}
    </ul>
  </section>`;
}

function Bottom({ answer }: { answer: StatusAnswer }) {
  const { daemon } = answer;
  return html`<footer class="bottom">
    <p>blockmill ${daemon.version}, ${daemon.supervisorId}, up ${span(daemon.upSeconds)}</p>
    <nav aria-label="More"><a href="/metrics">metrics</a> <a href="/api/status">api</a> <a href="/readyz">readiness</a></nav>
  </footer>`;
}
