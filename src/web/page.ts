import { createHash } from "node:crypto";
import type { DaemonView } from "../child/daemon-view.js";
import type { Status } from "../status/read-status.js";
import { sentenceOf } from "../status/sentence.js";
import type { Answer } from "./handle.js";
import type { Reading } from "./shared-read.js";

const style = `
:root { color-scheme: light dark; font: 1.125rem/1.5 system-ui, sans-serif }
body { max-width: 40rem; margin: 3rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem }
dt { margin-top: .5rem }
dd { margin: 0 }
`;

const styleHash = createHash("sha256").update(style).digest("base64");

/** What is served, in the order of the page. */
const places: [path: string, says: string][] = [
  ["/api/status", "the daemon and the schema"],
  ["/api/ranges", "open ranges and how far they are"],
  ["/api/workers", "processes of all daemons that share the schema"],
  ["/api/endpoints", "endpoints as the processes see them"],
  ["/api/failures", "the latest failed attempts"],
  ["/api/alerts", "what a person should look at, and what was"],
  ["/api/blocks/0", "one block: its job, its row, its failures"],
  ["/api/events", "the status each second, as server-sent events"],
  ["/metrics", "for Prometheus"],
  ["/healthz", "whether the daemon lives"],
  ["/readyz", "whether it can take claims"],
];

/** A page without script: how things stand in one sentence, and where the rest is. */
export function page({ view, schema }: { view: DaemonView; schema: Reading<Status> }): Answer {
  const { value, error, ageSeconds } = schema;
  const sentence = value === null ? "The database could not be read yet." : sentenceOf(value).text;
  const stale =
    error === null
      ? ""
      : `<p>This is ${ageSeconds === null ? "all that is known" : `${Math.round(ageSeconds)} s old`}: ${escapeHtml(error)}</p>`;
  const name = value === null ? "" : ` · ${escapeHtml(value.schema)}`;
  const body = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>blockmill${name}</title>
<style>${style}</style>
<body>
<h1>${escapeHtml(sentence)}</h1>
${stale}<p>blockmill ${escapeHtml(view.version)}${name}, ${escapeHtml(view.supervisorId)}. Load the page again for a newer word.</p>
<dl>
${places.map(([path, says]) => `<dt><a href="${path}">${path}</a></dt><dd>${says}</dd>`).join("\n")}
</dl>
</body>
</html>
`;
  return {
    status: 200,
    type: "text/html; charset=utf-8",
    body,
    headers: {
      "content-security-policy": `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    },
  };
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (each) => `&#${each.charCodeAt(0)};`);
}
