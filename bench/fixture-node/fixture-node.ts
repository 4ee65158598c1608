// The node: one chain, its endpoints, and the control commands.
import { CallLog } from "./call-log.js";
import { Canonical } from "./canonical.js";
import { Chain } from "./chain.js";
import { chainOptions } from "./chain-options.js";
import { Endpoint } from "./endpoint.js";
import { parseJson } from "./methods.js";
import { prebuiltBlocks } from "./prebuilt.js";
import type { CommandName, Commands, Counters, Faults, FixtureOptions, Json } from "./protocol.js";

type Handlers = {
  [Name in CommandName]: (
    args: Commands[Name]["takes"],
  ) => Commands[Name]["gives"] | Promise<Commands[Name]["gives"]>;
};

const DEFAULT_HEAD = 64;

export class FixtureNode {
  readonly #canonical: Canonical;
  readonly #calls: CallLog;
  readonly #endpoints: Endpoint[] = [];
  #finalityDepth: number;
  readonly #gzip: boolean;
  #miner: NodeJS.Timeout | undefined;

  /** Builds the chain; with `blocks` that may take a while, which `onProgress` tells about. */
  constructor(options: FixtureOptions, onProgress?: (built: number) => void) {
    const { head, blocks, finalityDepth, ports, port, faults, gzip, recordCalls, ...wishes } = options;
    const chain = chainOptions(wishes);
    const prebuilt = blocks ? prebuiltBlocks(chain, { blocks, ...(onProgress && { onProgress }) }) : [];
    const defaultHead = chain.start + (blocks ? blocks - 1 : DEFAULT_HEAD);
    this.#canonical = new Canonical(new Chain(chain, prebuilt), { head: head ?? defaultHead });
    this.#calls = new CallLog({ keepCalls: recordCalls ?? true });
    this.#finalityDepth = finalityDepth ?? 64;
    this.#gzip = gzip ?? false;
    this.#canonical.onChange(() => {
      for (const endpoint of this.#endpoints) endpoint.heads.headChanged();
    });
  }

  async addEndpoint({
    port,
    faults,
  }: {
    port?: number;
    faults?: Faults;
  }): Promise<{ endpoint: number; url: string }> {
    const endpoint = new Endpoint({
      index: this.#endpoints.length,
      canonical: this.#canonical,
      calls: this.#calls,
      control: (text) => this.control(text),
      faults: faults ?? {},
      gzip: this.#gzip,
      finalityDepth: () => this.#finalityDepth,
    });
    this.#endpoints.push(endpoint);
    const index = this.#endpoints.length - 1;
    await endpoint.listen(port ?? 0);
    return { endpoint: index, url: endpoint.url };
  }

  /** `{"command": ..., "args": {...}}` gives `{"result": ...}`, or status 400 and `{"error": ...}`. */
  async control(text: string): Promise<{ status: number; body: Buffer }> {
    try {
      const { command, args } = JSON.parse(text) as { command: CommandName; args: never };
      const handler = this.#handlers[command];
      if (!handler) throw new RangeError(`no command ${String(command)}`);
      const result = await handler(args ?? ({} as never));
      return { status: 200, body: Buffer.from(JSON.stringify({ result })) };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { status: 400, body: Buffer.from(JSON.stringify({ error: message })) };
    }
  }

  readonly #handlers: Handlers = {
    mine: ({ blocks }) => this.#canonical.mine(blocks),
    autoMine: ({ intervalMs }) => this.#autoMine(intervalMs),
    setHead: ({ number }) => this.#canonical.setHead(number),
    reorg: (order) => this.#canonical.reorg(order),
    fork: (order) => this.#canonical.fork(order),
    switchTo: ({ branch }) => this.#canonical.switchTo(branch),
    setFinalityDepth: ({ blocks }) => {
      this.#finalityDepth = blocks;
      return null;
    },
    head: () => this.#canonical.head,
    expected: (asked) => this.#expected(asked),
    canonical: ({ from, to }) =>
      this.#canonical.range(from, to).map(({ number, hash, parentHash }) => ({ number, hash, parentHash })),
    addEndpoint: (order) => this.addEndpoint(order),
    setFaults: async ({ endpoint, faults }) => {
      for (const at of this.#chosen(endpoint)) await at.mergeFaults(faults);
      return null;
    },
    clearFaults: async ({ endpoint }) => {
      for (const at of this.#chosen(endpoint)) {
        at.mutations.clear();
        await at.setFaults({});
      }
      return null;
    },
    mutate: ({ endpoint, mutation }) => {
      for (const at of this.#chosen(endpoint)) at.mutations.order({ count: 1, ...mutation });
      return null;
    },
    dropWebSockets: ({ endpoint }) => {
      for (const at of this.#chosen(endpoint)) at.heads.dropAll();
      return null;
    },
    counters: ({ endpoint }) => this.#counters(endpoint),
    resetCounters: () => {
      this.#calls.reset();
      for (const endpoint of this.#endpoints) endpoint.resetCounters();
      return null;
    },
    calls: (filter) => this.#calls.calls(filter),
    waitForCalls: (order) => this.#calls.waitFor(order),
    cpu: () => process.cpuUsage(),
  };

  #chosen(index: number | undefined): Endpoint[] {
    if (index === undefined) return this.#endpoints;
    const endpoint = this.#endpoints[index];
    if (!endpoint) throw new RangeError(`no endpoint ${index}`);
    return [endpoint];
  }

  #expected({ number, branch }: { number: number; branch?: string }): { block: Json; receipts: Json[] } {
    const block = this.#canonical.chain.block(branch ?? this.#canonical.branch, number);
    if (!block) throw new RangeError(`no block ${number}`);
    return {
      block: parseJson(block.read("full")) as Json,
      receipts: parseJson(block.read("receipts")) as Json[],
    };
  }

  #counters(index: number | undefined): Counters {
    const sum = { httpRequests: 0, batches: 0, bytesSent: 0, webSockets: 0, headsPushed: 0 };
    for (const endpoint of this.#chosen(index)) {
      const counters = endpoint.counters();
      for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += counters[name];
    }
    return { ...sum, calls: this.#calls.counts(index) };
  }

  #autoMine(intervalMs: number | null): null {
    clearInterval(this.#miner);
    this.#miner = intervalMs === null ? undefined : setInterval(() => this.#canonical.mine(1), intervalMs);
    return null;
  }
}
