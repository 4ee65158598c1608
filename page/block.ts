import { useEffect, useRef } from "preact/hooks";
import type { BlockAnswer } from "../src/web/answers.js";
import { count, plural, span } from "../src/wording.js";
import { html } from "./html.js";
import { useRead } from "./use-read.js";

/** What JSON leaves of a Date. */
type Time = string | null;

/** A block's life, over the page. */
export function BlockDialog({
  block,
  close,
  open,
}: {
  block: number;
  close(): void;
  open(block: number): void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const { value, error } = useRead<BlockAnswer>(`/api/blocks/${block}`, 3_000);
  useEffect(() => {
    if (dialog.current?.open === false) dialog.current.showModal();
  }, []);
  const known = value?.number === block ? value : null;
  return html`<dialog ref=${dialog} class="block" aria-labelledby="block-title" onClose=${close}
    onClick=${(event: MouseEvent) => event.target === dialog.current && dialog.current?.close()}>
    <header class="card-head">
      <h2 id="block-title">Block ${count(block)}</h2>
      <div class="tools">
        <button type="button" onClick=${() => open(block - 1)} disabled=${block === 0} aria-label="the block before">←</button>
        <button type="button" onClick=${() => open(block + 1)} aria-label="the next block">→</button>
        <button type="button" autofocus onClick=${() => dialog.current?.close()}>Close</button>
      </div>
    </header>
    ${known === null ? html`<p class="empty">${error ?? "Reading …"}</p>` : html`<${Life} life=${known} />`}
  </dialog>`;
}

function Life({ life }: { life: BlockAnswer }) {
  const { job, stored, failures, why, sentence } = life;
  return html`
    <p class="why"><span class=${`tag ${tagOf(why.state)}`}>${why.state}</span> ${upper(sentence)}</p>
    <${Stages} life=${life} />
    <dl class="facts">
      ${
        job !== null &&
        html`
          <${Fact} name="asked for">${time(job.createdAt as unknown as Time)}${job.blockHash === null ? "" : ", by its hash: near the head"}</${Fact}>
          <${Fact} name="claimed">${time(job.startedAt as unknown as Time)}</${Fact}>
          <${Fact} name="committed">${time(job.completedAt as unknown as Time)}</${Fact}>
          <${Fact} name="worker">${job.workerId}</${Fact}>
          <${Fact} name="endpoint">${job.result?.endpoint}</${Fact}>
          <${Fact} name="attempts">${count(job.attempts)}</${Fact}>
          <${Fact} name="priority">${String(job.priority)}</${Fact}>
        `
      }
      ${
        stored !== null &&
        html`
          <${Fact} name="hash"><code>${String(stored.header.hash ?? "")}</code></${Fact}>
          <${Fact} name="rows">${Object.entries(stored.rows)
            .filter(([table]) => table !== "blocks")
            .map(
              ([table, rows]) =>
                `${count(rows)} ${table.replaceAll(/[A-Z]/g, (each) => ` ${each.toLowerCase()}`)}`,
            )
            .join(", ")}</${Fact}>
          <${Fact} name="proven">${provenOf(stored.header.verified)}</${Fact}>
        `
      }
    </dl>
    ${
      failures.length > 0 &&
      html`<h3>${plural(failures.length, "failed attempt")}</h3>
        <ul class="attempts">
          ${failures.map(
            (each) => html`<li key=${`${each.failedAt} ${each.attempt}`}>
              <b>${each.attempt}</b> ${time(each.failedAt as unknown as Time)}${each.endpoint === null ? "" : `, ${each.endpoint}`}
              <p>${each.message}</p>
            </li>`,
          )}
        </ul>`
    }
  `;
}

function Fact({ name, children }: { name: string; children?: unknown }) {
  const said = [children].flat(3).filter((each) => each !== null && each !== undefined && each !== "");
  if (said.length === 0) return null;
  return html`<div><dt>${name}</dt><dd>${children}</dd></div>`;
}

/** Where its time went, as far as it is known. */
function Stages({ life: { job } }: { life: BlockAnswer }) {
  if (job === null || job.startedAt === null) return null;
  const at = (value: unknown): number => Date.parse(String(value));
  const began = Math.max(at(job.createdAt), job.runAt === null ? Number.NEGATIVE_INFINITY : at(job.runAt));
  const waited = Math.max(0, at(job.startedAt) - began);
  const { fetch_ms: fetched = 0, verify_ms: verified = 0, encode_ms: encoded = 0 } = job.result ?? {};
  const claimed = job.completedAt === null ? null : at(job.completedAt) - at(job.startedAt);
  const rest = claimed === null ? 0 : Math.max(0, claimed - fetched - verified - encoded);
  const stages = [
    { name: "waited", colour: "series-6", ms: waited },
    { name: "fetch", colour: "series-1", ms: fetched },
    { name: "verify", colour: "series-3", ms: verified },
    { name: "encode", colour: "series-4", ms: encoded },
    { name: "batch and commit", colour: "series-2", ms: rest },
  ].filter(({ ms }) => ms > 0);
  const total = stages.reduce((sum, { ms }) => sum + ms, 0);
  if (total === 0) return null;
  return html`<div class="stages">
    <div class="stage-bar" aria-hidden="true">
      ${stages.map(({ name, colour, ms }) => html`<i key=${name} class=${colour} style=${{ flexGrow: ms / total }}></i>`)}
    </div>
    <ul class="values">
      ${stages.map(({ name, colour, ms }) => html`<li key=${name}><i class=${`line ${colour}`}></i><span class="label">${name}</span> <b>${ms < 1_000 ? `${Math.round(ms)} ms` : span(ms / 1_000)}</b></li>`)}
    </ul>
  </div>`;
}

function tagOf(state: string): string {
  if (state === "stored" || state === "archived" || state === "absent") return "well";
  return state === "failed" || state === "rows missing" || state === "endpoints down"
    ? "critical"
    : "warning";
}

function upper(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

function provenOf(verified: unknown): string {
  return Array.isArray(verified) && verified.length > 0 ? verified.join(", ") : "nothing";
}

function time(at: Time): string | null {
  if (at === null) return null;
  return `${at.slice(0, 10)} ${at.slice(11, 23)} UTC`;
}
