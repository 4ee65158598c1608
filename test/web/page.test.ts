import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { page } from "../../src/web/page.js";
import { viewOf } from "./view.js";

const nothing = { value: null, ageSeconds: null, error: '<away> & "gone"' };

test("the page is HTML without script whose policy allows its own style alone", () => {
  const { body, headers, type } = page({ view: viewOf(), schema: nothing });
  assert.match(type, /^text\/html/);
  assert.doesNotMatch(body, /<script|javascript:|https?:\/\//i);
  const style = /<style>([\s\S]*)<\/style>/.exec(body)?.[1] ?? "";
  const hash = createHash("sha256").update(style).digest("base64");
  assert(headers?.["content-security-policy"]?.includes(`style-src 'sha256-${hash}'`));
});

test("what is told is text, whatever stands in it, and what is old says so", () => {
  const { body } = page({ view: viewOf({ version: "<b>" }), schema: nothing });
  assert(body.includes("&#60;away&#62; &#38; &#34;gone&#34;"));
  assert(!body.includes("<b>"));
  const stale = page({ view: viewOf(), schema: { ...nothing, ageSeconds: 12.3 } });
  assert.match(stale.body, /This is 12 s old/);
});
