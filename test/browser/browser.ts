// Debian's Chromium, and the page of a daemon in it.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before } from "node:test";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { waitFor } from "../support/process.js";

const program = "/usr/bin/chromium";

/** Why there is no browser; false: there is one. */
export const skip = existsSync(program) ? false : `no ${program}: apt-get install chromium`;

/** A name that stands for this host in this browser alone, as another site's that is led here. */
export const otherName = "attacker.example";

/** One browser for the tests of a file. */
export function useBrowser(): { open(address: string, options?: BrowserContextOptions): Promise<Opened> } {
  let browser: Browser | undefined;
  before(async () => {
    if (skip) return;
    browser = await chromium.launch({
      executablePath: program,
      args: ["--no-sandbox", `--host-resolver-rules=MAP ${otherName} 127.0.0.1`],
    });
  });
  after(() => browser?.close());
  return {
    async open(address, options = {}) {
      assert(browser !== undefined);
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
      const page = await context.newPage();
      const requests: string[] = [];
      const errors: string[] = [];
      page.on("request", (request) => requests.push(request.url()));
      page.on("pageerror", (error) => errors.push(error.message));
      page.on("console", (message) => {
        if (message.type() === "error") errors.push(message.text());
      });
      await page.goto(`http://${address}/`);
      return { page, requests, errors };
    },
  };
}

export interface Opened {
  page: Page;
  /** The URL of each request that the page made. */
  requests: string[];
  /** What went wrong in it, violations of its policy included. */
  errors: string[];
}

/** The text of an element, with one space for each run of them. */
export async function textOf(page: Page, selector: string): Promise<string> {
  // biome-ignore lint/performance/useDomNodeTextContent: it is what people see that is asked for.
  return (await page.locator(selector).first().innerText()).replace(/\s+/g, " ").trim();
}

/** Waits until the live page stands where the plain one was. */
export async function untilLive(page: Page): Promise<void> {
  await page.locator(".beat.live").waitFor({ timeout: 60_000 });
  await waitFor(async () => (await page.locator(".cell").count()) > 0, { what: "the newest blocks" });
}

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** What axe-core finds wrong with a page: the rule, and where. */
export async function faultsOf(page: Page): Promise<string[]> {
  // Evaluated, not inserted: the page's policy takes no script of others.
  const { readFile } = await import("node:fs/promises");
  await page.evaluate(await readFile(axe, "utf8"));
  return await page.evaluate(async () => {
    const run = (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run;
    const { violations } = await run();
    return violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`,
    );
  });
}

interface AxeResults {
  violations: { id: string; nodes: { target: string[] }[] }[];
}
