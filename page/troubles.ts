import type { FailureGroup } from "../src/status/group-failures.js";
import type { Disk as DiskAnswer } from "../src/status/read-disk.js";
import type { FailureGroupsAnswer, ReorgsAnswer, StatusAnswer } from "../src/web/answers.js";
import { count, plural, rate, span } from "../src/wording.js";
import { html } from "./html.js";
import { useRead } from "./use-read.js";

const groupsShown = 12;

/** Failed attempts by what they have in common, and what mends them. */
export function Failures({ answer, open }: { answer: StatusAnswer; open(block: number): void }) {
  const newest = answer.schema?.failures[0]?.message ?? "";
  const { value, error } = useRead<FailureGroupsAnswer>(
    "/api/failures/groups",
    15_000,
    `${answer.schema?.jobs.failed.count} ${newest}`,
  );
  const groups = value?.groups ?? [];
  return html`<section class="card" aria-labelledby="failures-title">
    <header class="card-head">
      <h2 id="failures-title">Failures</h2>
      <p class="aside">of the last day, by what they have in common</p>
    </header>
    ${error !== null && html`<p class="note">${error}</p>`}
    ${groups.length === 0 ? html`<p class="empty">${value === null ? "Reading …" : "Nothing failed."}</p>` : null}
    <ol class="failures">
      ${groups.slice(0, groupsShown).map((group) => html`<${Group} key=${`${group.class} ${group.fingerprint}`} group=${group} open=${open} />`)}
    </ol>
    ${groups.length > groupsShown && html`<p class="aside">and ${plural(groups.length - groupsShown, "more kind")}: <code>blockmill errors</code></p>`}
  </section>`;
}

function Group({ group, open }: { group: FailureGroup; open(block: number): void }) {
  const { count: times, stillFailed, message, firstAt, lastAt, newestBlock, endpoints, advice } = group;
  const ago = (at: unknown): string => span(Math.max(0, (Date.now() - Date.parse(String(at))) / 1_000));
  return html`<li>
    <div class="times"><b>${count(times)}</b><span>×</span></div>
    <div>
      <p class="message">${message}</p>
      <p class="facts-line">
        <span>last ${ago(lastAt)} ago</span>
        ${times > 1 && html`<span>first ${ago(firstAt)} ago</span>`}
        <span>newest <button type="button" class="link" onClick=${() => open(newestBlock)}>${count(newestBlock)}</button></span>
        ${endpoints.length > 0 && html`<span>${endpoints.slice(0, 3).join(", ")}</span>`}
        ${stillFailed > 0 && html`<span class="bad">${count(stillFailed)} still failed</span>`}
      </p>
      <p class="advice">${withCode(advice)}</p>
    </div>
  </li>`;
}

/** Commands in an advice stand out. */
function withCode(text: string) {
  return text
    .split(
      /((?:blockmill (?:retry|verify|cleanup|resume)(?: --?[a-z-]+| [A-Z]+\b)*|systemctl reload \S+[^\s.,]|journalctl [^.,;]+))/,
    )
    .map((each, i) => (i % 2 === 1 ? html`<code>${each.trim()}</code>${/\s$/.test(each) ? " " : ""}` : each));
}

export function Reorgs({ reorgs: told }: { reorgs: number }) {
  const { value } = useRead<ReorgsAnswer>("/api/reorgs", 30_000, told);
  const reorgs = value?.reorgs ?? [];
  return html`<section class="card" aria-labelledby="reorgs-title">
    <header class="card-head"><h2 id="reorgs-title">Reorgs</h2></header>
    ${
      reorgs.length === 0
        ? html`<p class="empty">${value === null ? "Reading …" : "None was undone yet."}</p>`
        : html`<ul class="plain-list">${reorgs.slice(0, 6).map(
            (each) => html`<li key=${String(each.detectedAt)}>
              <b>${plural(each.depth, "block")}</b> above ${count(each.forkBlock)}
              <span class="dim">${span((Date.now() - Date.parse(String(each.detectedAt))) / 1_000)} ago, ${each.toldBy}</span>
            </li>`,
          )}</ul>`
    }
  </section>`;
}

export function Locks({ answer }: { answer: StatusAnswer }) {
  const wait = answer.schema?.lockWait ?? null;
  return html`<section class="card" aria-labelledby="locks-title">
    <header class="card-head"><h2 id="locks-title">Locks</h2></header>
    ${wait === null ? html`<p class="empty">Nobody keeps us waiting.</p>` : html`<p class="note">${wait}</p>`}
  </section>`;
}

export function Disk() {
  const { value, error } = useRead<DiskAnswer>("/api/disk", 60_000);
  const tables = (value?.tables ?? []).filter(({ bytes }) => bytes > 0).slice(0, 5);
  const most = Math.max(1, ...tables.map(({ bytes }) => bytes));
  return html`<section class="card" aria-labelledby="disk-title">
    <header class="card-head">
      <h2 id="disk-title">Disk</h2>
      ${value !== null && html`<p class="aside">${size(value.bytes)}${value.bytesPerDay === null ? "" : `, ${value.bytesPerDay < 0 ? "−" : "+"}${size(Math.abs(value.bytesPerDay))} a day`}</p>`}
    </header>
    ${value === null && html`<p class="empty">${error ?? "Reading …"}</p>`}
    <ul class="disk">
      ${tables.map(
        ({ name, bytes }) => html`<li key=${name}>
          <span>${name.replaceAll("_", " ")}</span><b>${size(bytes)}</b>
          <i aria-hidden="true"><i style=${{ width: `${(100 * bytes) / most}%` }}></i></i>
        </li>`,
      )}
    </ul>
  </section>`;
}

/** `4.2 GB`: of 1,000 MB each, as disks are sold. */
function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  const at = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  return `${at === 0 ? count(bytes) : rate(bytes / 1_000 ** at)} ${units[at]}`;
}
