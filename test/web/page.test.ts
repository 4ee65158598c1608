import assert from "node:assert/strict";
import { test } from "node:test";
import { page } from "../../src/web/page.js";
import { viewOf } from "./view.js";

const nothing = { value: null, ageSeconds: null, error: '<away> & "gone"' };
const assets = [
  { name: "app-1.js", type: "text/javascript", body: "" },
  { name: "app-2.css", type: "text/css", body: "" },
];

test("the page is HTML with no script or style of its own: its policy allows its own files alone", () => {
  const { body, headers, type } = page({ view: viewOf(), schema: nothing, assets });
  assert.match(type, /^text\/html/);
  assert.doesNotMatch(
    body,
    /<script(?! type="module" src="\/page\/app-1.js"><)|<style|style=|javascript:|https?:\/\//i,
  );
  assert.match(body, /<script type="module" src="\/page\/app-1\.js"><\/script>/);
  assert.match(body, /<link rel="stylesheet" href="\/page\/app-2\.css">/);
  const policy = headers?.["content-security-policy"] ?? "";
  assert.match(
    policy,
    /^default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self';/,
  );
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
});

test("what is told is text, whatever stands in it, and what is old says so", () => {
  const { body } = page({ view: viewOf({ version: "<b>" }), schema: nothing, assets });
  assert(body.includes("&#60;away&#62; &#38; &#34;gone&#34;"));
  assert(!body.includes("<b>"));
  const stale = page({ view: viewOf(), schema: { ...nothing, ageSeconds: 12.3 }, assets });
  assert.match(stale.body, /This is 12 s old/);
});
