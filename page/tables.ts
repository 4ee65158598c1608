import type { LiveWorker } from "../src/queue/read-workers.js";
import type { StatusAnswer } from "../src/web/answers.js";
import { count, plural, rate, shorten, span } from "../src/wording.js";
import { html } from "./html.js";

/** Rows of processes that are shown; the busiest schema has more. */
const mostShown = 60;

/** The processes of all daemons that share the schema. */
export function Workers({ answer }: { answer: StatusAnswer }) {
  const { schema, daemon } = answer;
  const workers = (schema?.workers ?? []).filter(({ role }) => role !== "supervisor");
  const living = workers.filter(({ lives }) => lives).length;
  const hosts = new Set(workers.map(({ hostname }) => hostname)).size;
  return html`<section class="card" aria-labelledby="workers-title">
    <header class="card-head">
      <h2 id="workers-title">Workers</h2>
      <p class="aside">${plural(living, "process").replace(/processs$/, "processes")} on ${plural(hosts, "host")}</p>
    </header>
    ${
      workers.length === 0
        ? html`<p class="empty">Nothing runs.</p>`
        : html`<div class="scroll" tabindex="0" role="region" aria-label="Table of workers">
            <table>
              <thead><tr><th>process</th><th>state</th><th class="n">done</th><th class="n">failed</th><th class="n">memory</th><th class="n">beat</th><th class="wide">in hand</th></tr></thead>
              <tbody>${workers.slice(0, mostShown).map((worker) => html`<${WorkerRow} key=${worker.workerId} worker=${worker} />`)}</tbody>
            </table>
          </div>`
    }
    ${workers.length > mostShown && html`<p class="aside">and ${count(workers.length - mostShown)} more</p>`}
    ${
      daemon.deaths.length > 0 &&
      html`<p class="note">Died since this daemon's start: ${daemon.deaths
        .map(({ role, reason, count: times }) => `${role} ${count(times)} × (${reason})`)
        .join(", ")}.</p>`
    }
  </section>`;
}

function WorkerRow({ worker }: { worker: LiveWorker }) {
  const { workerId, hostname, role, state, doing, seenAgeSeconds, lives } = worker;
  const { completed, failed, memoryMb, blocks = [], reason } = doing;
  const hand =
    reason ??
    (blocks.length === 0
      ? ""
      : `${count(blocks[0] ?? 0)}${blocks.length > 1 ? ` + ${blocks.length - 1}` : ""}`);
  return html`<tr>
    <th scope="row" title=${workerId}>${role === "worker" ? workerId.replace(/^.*\//, "") : role} <span class="dim">${shorten(hostname, 18)}</span></th>
    <td><span class=${`dot ${dotOf(state, lives)}`}></span>${lives ? state : "lost"}</td>
    <td class="n">${completed === undefined ? "" : count(completed)}</td>
    <td class="n">${failed === undefined ? "" : count(failed)}</td>
    <td class="n">${memoryMb === undefined ? "" : `${count(memoryMb)} MB`}</td>
    <td class="n">${seenAgeSeconds < 11 ? "now" : span(seenAgeSeconds)}</td>
    <td class="wide" title=${hand}>${shorten(hand, 40)}</td>
  </tr>`;
}

function dotOf(state: string, lives: boolean): string {
  if (!lives) return "critical";
  if (state === "waiting") return "warning";
  return state === "working" || state === "leading" ? "well" : "calm";
}

/** The endpoints as all processes see them, and what this daemon asked of them. */
export function Endpoints({ answer }: { answer: StatusAnswer }) {
  const endpoints = answer.schema?.endpoints ?? [];
  const uses = new Map(answer.daemon.uses.map((use) => [use.name, use]));
  return html`<section class="card" aria-labelledby="endpoints-title">
    <header class="card-head">
      <h2 id="endpoints-title">Endpoints</h2>
    </header>
    ${
      endpoints.length === 0
        ? html`<p class="empty">No process has told of an endpoint yet.</p>`
        : html`<ul class="endpoints">${endpoints.map((endpoint) => {
            const use = uses.get(endpoint.name);
            const { name, up, resting, refused, reason, latencyMs, head, lag } = endpoint;
            const state =
              refused > 0
                ? "refused"
                : up === 0
                  ? "rests"
                  : resting > 0
                    ? `rests for ${resting} of ${up + resting}`
                    : "up";
            const level = refused > 0 || up === 0 ? "critical" : resting > 0 ? "warning" : "well";
            const errors = [
              ["refused", use?.refused],
              ["timed out", use?.timedOut],
              ["failed", use?.failed],
              ["blamed", use?.blamed],
            ].filter(([, times]) => Number(times ?? 0) > 0);
            return html`<li key=${name}>
              <div class="endpoint-head"><b>${name}</b><span><span class=${`dot ${level}`}></span>${state}</span></div>
              <dl class="inline">
                <div><dt>height</dt><dd>${head === null ? "–" : count(head)}${lag === null || lag === 0 ? "" : `, ${count(lag)} behind`}</dd></div>
                <div><dt>answers in</dt><dd>${latencyMs === null ? "–" : `${rate(latencyMs)} ms`}</dd></div>
                <div><dt>in use</dt><dd>${use === undefined ? "–" : `${count(use.inFlight)} of ${use.limit === null ? "–" : count(use.limit)}`}</dd></div>
                <div><dt>served here</dt><dd>${use === undefined ? "–" : count(use.served)}</dd></div>
                ${errors.map(([says, times]) => html`<div key=${says} class="bad"><dt>${says}</dt><dd>${count(Number(times))}</dd></div>`)}
              </dl>
              ${reason !== null && html`<p class="note">${reason}</p>`}
            </li>`;
          })}</ul>`
    }
  </section>`;
}
