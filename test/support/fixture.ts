// Starts the fixture node (bench/fixture-node) in a process of its own, and talks to its control.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { HeadInfo } from "../../bench/fixture-node/canonical.js";
import type {
  BlockRef,
  Call,
  CommandName,
  Commands,
  Counters,
  Faults,
  FixtureOptions,
  Json,
  Mutation,
  Ready,
} from "../../bench/fixture-node/protocol.js";

/** Starts a node; `stop` it when done. It ends by itself when this process ends, however that happens. */
export async function startFixture(options: FixtureOptions = {}): Promise<Fixture> {
  const main = new URL("../../bench/fixture-node/main.js", import.meta.url);
  const child = fork(main, ["--options", JSON.stringify(options)], { execArgv: [] });
  const ready = await new Promise<Ready>((resolve, reject) => {
    child.once("message", (message) => resolve(message as Ready));
    child.once("error", reject);
    child.once("exit", (code, signal) => reject(new Error(`the fixture node ended: ${code ?? signal}`)));
  });
  return new Fixture(child, ready);
}

export class Fixture {
  readonly controlUrl: string;
  /** The endpoints' HTTP URLs. */
  readonly urls: string[];
  readonly #child: ChildProcess;

  constructor(child: ChildProcess, { controlUrl, urls }: Ready) {
    this.#child = child;
    this.controlUrl = controlUrl;
    this.urls = urls;
  }

  /** The first endpoint. */
  get url(): string {
    return this.urls[0] ?? "";
  }

  get wsUrl(): string {
    return this.wsUrls[0] ?? "";
  }

  get wsUrls(): string[] {
    return this.urls.map((url) => url.replace("http:", "ws:"));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }

  /** Adds blocks to the canonical chain; newHeads are pushed. */
  mine(blocks = 1): Promise<HeadInfo> {
    return this.control("mine", { blocks });
  }

  /** Mines a block every so often; null stops. */
  async autoMine(intervalMs: number | null): Promise<void> {
    await this.control("autoMine", { intervalMs });
  }

  /** Moves the head without a reorg: backwards for a node that lags, forwards like `mine`. */
  setHead(number: number): Promise<HeadInfo> {
    return this.control("setHead", { number });
  }

  /** Replaces the last `depth` blocks by `length` new ones; the branch is named `reorg-1`, ... by default. */
  reorg(order: { depth: number; length: number; branch?: string }): Promise<HeadInfo> {
    return this.control("reorg", order);
  }

  /** Makes a branch that no endpoint follows, for mutations and for `faults.branch`. */
  fork(order: { depth: number; length: number; branch: string }): Promise<HeadInfo> {
    return this.control("fork", order);
  }

  /** Makes another branch canonical, at the head that it had. The first branch is `main`. */
  switchTo(branch: string): Promise<HeadInfo> {
    return this.control("switchTo", { branch });
  }

  async setFinalityDepth(blocks: number): Promise<void> {
    await this.control("setFinalityDepth", { blocks });
  }

  head(): Promise<HeadInfo> {
    return this.control("head", {});
  }

  /** The block with full transactions and its receipts, as the canonical (or the named) branch has them. */
  expected(number: number, branch?: string): Promise<{ block: Json; receipts: Json[] }> {
    return this.control("expected", { number, ...(branch !== undefined && { branch }) });
  }

  /** The canonical blocks between two numbers, both inclusive. */
  canonical(from: number, to: number): Promise<BlockRef[]> {
    return this.control("canonical", { from, to });
  }

  /** Another endpoint on the same chain; its index is what `endpoint` means elsewhere. */
  async addEndpoint(
    order: { port?: number; faults?: Faults } = {},
  ): Promise<{ endpoint: number; url: string }> {
    const added = await this.control("addEndpoint", order);
    this.urls[added.endpoint] = added.url;
    return added;
  }

  /** Merges faults into those of an endpoint, or of all. */
  async setFaults(faults: Faults, endpoint?: number): Promise<void> {
    await this.control("setFaults", { faults, ...at(endpoint) });
  }

  /** Ends all faults and mutations of an endpoint, or of all. */
  async clearFaults(endpoint?: number): Promise<void> {
    await this.control("clearFaults", at(endpoint));
  }

  /** Orders a wrong answer at an endpoint, or at each. */
  async mutate(mutation: Mutation, endpoint?: number): Promise<void> {
    await this.control("mutate", { mutation, ...at(endpoint) });
  }

  async dropWebSockets(endpoint?: number): Promise<void> {
    await this.control("dropWebSockets", at(endpoint));
  }

  counters(endpoint?: number): Promise<Counters> {
    return this.control("counters", at(endpoint));
  }

  async resetCounters(): Promise<void> {
    await this.control("resetCounters", {});
  }

  /** The last 10,000 calls, oldest first. */
  calls(filter: { endpoint?: number; method?: string } = {}): Promise<Call[]> {
    return this.control("calls", filter);
  }

  /** Resolves when so many calls of the method ("*": any) were received since the last resetCounters. */
  waitForCalls(order: { endpoint?: number; method: string; count: number }): Promise<number> {
    return this.control("waitForCalls", order);
  }

  async control<Name extends CommandName>(
    command: Name,
    args: Commands[Name]["takes"],
  ): Promise<Commands[Name]["gives"]> {
    const response = await fetch(this.controlUrl, {
      method: "POST",
      body: JSON.stringify({ command, args }),
    });
    const answer = (await response.json()) as { result: Commands[Name]["gives"]; error?: string };
    if (answer.error !== undefined) throw new Error(`fixture node, ${command}: ${answer.error}`);
    return answer.result;
  }
}

function at(endpoint: number | undefined): { endpoint?: number } {
  return endpoint === undefined ? {} : { endpoint };
}
