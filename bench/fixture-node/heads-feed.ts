// The WebSocket side of an endpoint: the same methods, and newHeads subscriptions.
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { Canonical } from "./canonical.js";
import type { StoredBlock } from "./chain.js";
import { newHead } from "./methods.js";
import type { HeadFaults, Json } from "./protocol.js";
import type { View } from "./view.js";

export class HeadsFeed {
  readonly #server = new WebSocketServer({ noServer: true });
  readonly #subscriptions = new Map<string, WebSocket>();
  readonly #view: View;
  readonly #canonical: Canonical;
  readonly #faults: () => HeadFaults;
  /** The newest block that was, or would have been, pushed. */
  #last: StoredBlock | undefined;
  #held: StoredBlock | undefined;
  #ids = 0;
  #seen = 0;
  pushed = 0;

  constructor({ view, canonical, faults }: { view: View; canonical: Canonical; faults: () => HeadFaults }) {
    this.#view = view;
    this.#canonical = canonical;
    this.#faults = faults;
    this.#last = view.at("latest");
  }

  get connections(): number {
    return this.#server.clients.size;
  }

  /** Takes a connection over from the HTTP server; its messages go to `onMessage`. */
  accept(
    upgrade: { request: IncomingMessage; socket: Duplex; head: Buffer },
    onMessage: (text: string, socket: WebSocket) => void,
  ): void {
    this.#server.handleUpgrade(upgrade.request, upgrade.socket, upgrade.head, (socket) => {
      socket.on("error", () => socket.terminate());
      socket.on("message", (data) => onMessage(String(data), socket));
      socket.on("close", () => {
        for (const [id, owner] of this.#subscriptions) if (owner === socket) this.#subscriptions.delete(id);
      });
    });
  }

  subscribe(socket: WebSocket): string {
    this.#ids += 1;
    const id = `0x${this.#ids.toString(16).padStart(32, "0")}`;
    this.#subscriptions.set(id, socket);
    return id;
  }

  unsubscribe(id: string): boolean {
    return this.#subscriptions.delete(id);
  }

  dropAll(): void {
    for (const socket of this.#server.clients) socket.terminate();
  }

  /** Pushes what became visible: the blocks above the newest one that is still canonical. */
  headChanged(): void {
    const head = this.#view.head;
    let common = Math.min(head, this.#last?.number ?? head);
    const last = this.#last;
    while (last && !this.#agree(last.branch, common)) common -= 1;
    if (this.#subscriptions.size > 0) {
      for (let number = common + 1; number <= head; number += 1) this.#offer(this.#view.at(number));
    }
    this.#last = this.#view.at(head);
  }

  #agree(branch: string, number: number): boolean {
    const { chain } = this.#canonical;
    return chain.block(branch, number) === chain.block(this.#view.branch, number);
  }

  #offer(block: StoredBlock | undefined): void {
    const { silent, duplicate, outOfOrder, missingEvery } = this.#faults();
    if (!block || silent) return;
    this.#seen += 1;
    if (missingEvery && this.#seen % missingEvery === 0) return;
    if (outOfOrder && !this.#held) {
      this.#held = block;
      return;
    }
    const due = this.#held ? [block, this.#held] : [block];
    this.#held = undefined;
    for (const head of due) {
      this.#push(newHead(head));
      if (duplicate) this.#push(newHead(head));
    }
  }

  #push(result: Json): void {
    for (const [subscription, socket] of this.#subscriptions) {
      this.pushed += 1;
      socket.send(
        JSON.stringify({ jsonrpc: "2.0", method: "eth_subscription", params: { subscription, result } }),
      );
    }
  }
}
