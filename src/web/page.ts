import type { DaemonView } from "../child/daemon-view.js";
import type { Status } from "../status/read-status.js";
import { sentenceOf } from "../status/sentence.js";
import type { Asset } from "./assets.js";
import type { Answer } from "./handle.js";
import type { Reading } from "./shared-read.js";

/** What is served, in the order of the page. */
const places: [path: string, says: string][] = [
  ["/api/status", "the daemon and the schema"],
  ["/api/chain", "what the blocks are, part by part"],
  ["/api/history", "how work went, for charts"],
  ["/api/ranges", "open ranges and how far they are"],
  ["/api/workers", "processes of all daemons that share the schema"],
  ["/api/endpoints", "endpoints as the processes see them"],
  ["/api/failures", "the latest failed attempts"],
  ["/api/failures/groups", "failed attempts by what they have in common"],
  ["/api/reorgs", "reorgs that were undone"],
  ["/api/disk", "what the tables take"],
  ["/api/alerts", "what a person should look at, and what was"],
  ["/api/blocks/0", "one block: its job, its row, its failures"],
  ["/api/events", "the status each second, as server-sent events"],
  ["/metrics", "for Prometheus"],
  ["/healthz", "whether the daemon lives"],
  ["/readyz", "whether it can take claims"],
];

/** Its own files and its own API, and nothing else from anywhere: https://www.w3.org/TR/CSP3/ */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * The page. As it comes it tells, without script, how things stand in one sentence, and where the rest is; its script
 * (page/main.ts) puts the live page in that place.
 */
export function page({
  view,
  schema,
  assets,
}: {
  view: DaemonView;
  schema: Reading<Status>;
  assets: readonly Asset[];
}): Answer {
  const { value, error, ageSeconds } = schema;
  const sentence = value === null ? "The database could not be read yet." : sentenceOf(value).text;
  const stale =
    error === null
      ? ""
      : `<p>This is ${ageSeconds === null ? "all that is known" : `${Math.round(ageSeconds)} s old`}: ${escapeHtml(error)}</p>`;
  const name = value === null ? "" : ` · ${escapeHtml(value.schema)}`;
  const tags = assets.map(({ name: file }) =>
    file.endsWith(".css")
      ? `<link rel="stylesheet" href="/page/${file}">`
      : `<script type="module" src="/page/${file}"></script>`,
  );
  const body = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>blockmill${name}</title>
<link rel="icon" href="data:,">
${tags.join("\n")}
<body>
<div id="page">
<main class="plain">
<h1>${escapeHtml(sentence)}</h1>
${stale}<p>blockmill ${escapeHtml(view.version)}${name}, ${escapeHtml(view.supervisorId)}</p>
<dl>
${places.map(([path, says]) => `<dt><a href="${path}">${path}</a></dt><dd>${says}</dd>`).join("\n")}
</dl>
</main>
</div>
</body>
</html>
`;
  return {
    status: 200,
    type: "text/html; charset=utf-8",
    body,
    headers: { "content-security-policy": policy },
  };
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (each) => `&#${each.charCodeAt(0)};`);
}
