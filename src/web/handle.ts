// What every request passes before anything answers it, and what every answer bears.

import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { isIP } from "node:net";

export interface Answer {
  status: number;
  type: string;
  body: string;
  headers?: Record<string, string>;
}

export interface Asked {
  query: URLSearchParams;
  /** The number that stands for N in the route's path; undefined: there is none. */
  number: number | undefined;
}

export interface Route {
  /** The whole path, as it is sent; N stands for a number. */
  path: string;
  /** GET answers HEAD as well. POST changes something: it needs the token. */
  method: "GET" | "POST";
  /** Whether it answers under any name: probes and scrapers use whatever name they know. */
  anyHost?: boolean;
  answer(asked: Asked): Promise<Answer>;
  /** In place of `answer`: takes the connection over. */
  stream?(response: ServerResponse): void;
}

export interface HandlerOptions {
  routes: readonly Route[];
  /** Names that browsers may use, beside localhost and IP addresses. */
  hosts: readonly string[];
  /** Empty: nothing can be changed. */
  token: string;
  /** Told how long an answer of a route took; a stream takes none. */
  onAnswered(path: string, seconds: number): void;
  /** Told what went wrong inside. */
  onError(error: unknown): void;
}

/** Nothing but what a page states itself: https://www.w3.org/TR/CSP3/ */
const strictPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const always = {
  "content-security-policy": strictPolicy,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cache-control": "no-store",
};

export function createHandler(options: HandlerOptions): RequestListener {
  const { routes, hosts, token, onAnswered, onError } = options;
  const patterns = new Map(routes.map((route) => [route, patternOf(route.path)]));
  const names = new Set(["localhost", ...hosts.map((name) => name.toLowerCase())]);

  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [path = "", query = ""] = (request.url ?? "").split("?", 2);
    const matching = routes.filter((route) => patterns.get(route)?.test(path));
    const method = request.method === "HEAD" ? "GET" : request.method;
    const route = matching.find((each) => each.method === method);
    const refusal =
      refuseHost(request, matching, names) ??
      (matching.length === 0 ? plain(404, "there is nothing here; / lists what is") : undefined) ??
      (route === undefined
        ? plain(405, "this does not go with that method", {
            allow: matching.map((each) => each.method).join(", "),
          })
        : undefined) ??
      refuseBody(request) ??
      (route?.method === "POST" ? refuseChange(request, token) : undefined);
    if (refusal !== undefined || route === undefined) return send(response, refusal ?? plain(404, ""));
    if (route.stream !== undefined && request.method === "GET") {
      for (const [name, value] of Object.entries(always)) response.setHeader(name, value);
      return route.stream(response);
    }
    const digits = patterns.get(route)?.exec(path)?.[1];
    const number = digits === undefined ? undefined : Number(digits);
    if (number !== undefined && !Number.isSafeInteger(number))
      return send(response, plain(404, "a block's number is at most 2^53 - 1"));
    const started = performance.now();
    send(response, await route.answer({ query: new URLSearchParams(query), number }));
    onAnswered(route.path, (performance.now() - started) / 1_000);
  };

  return (request, response) => {
    response.on("error", () => {});
    respond(request, response).catch((error: unknown) => {
      onError(error);
      if (!response.headersSent) send(response, plain(500, "something went wrong inside; the log says what"));
      else response.destroy();
    });
  };
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(".", "\\.").replace(/\/N(?=\/|$)/, "/(\\d{1,16})")}$`);
}

/** A text for people. */
export function plain(status: number, text: string, headers: Record<string, string> = {}): Answer {
  return { status, type: "text/plain; charset=utf-8", body: `${text}\n`, headers };
}

export function json(value: unknown, status = 200): Answer {
  return { status, type: "application/json; charset=utf-8", body: `${JSON.stringify(value)}\n` };
}

function send(response: ServerResponse, { status, type, body, headers = {} }: Answer): void {
  response.writeHead(status, {
    ...always,
    "content-type": type,
    "content-length": Buffer.byteLength(body),
    // What else comes on it was not read.
    ...(status >= 400 ? { connection: "close" } : {}),
    ...headers,
  });
  response.end(body);
}

/**
 * A page of another site that leads its own name here (DNS rebinding) is of this origin for a browser. It cannot make the
 * browser send another name than its own.
 */
function refuseHost(
  { headers }: IncomingMessage,
  routes: readonly Route[],
  names: ReadonlySet<string>,
): Answer | undefined {
  if (routes.length > 0 && routes.every(({ anyHost }) => anyHost)) return undefined;
  const name = hostOf(headers.host);
  if (name !== undefined && (names.has(name) || isIP(name) !== 0)) return undefined;
  return plain(
    421,
    "this name is not known here: use localhost or an IP address, or add the name to web.hosts",
  );
}

/** A Host header's name, without its port; an IPv6 address without its brackets. */
function hostOf(host: string | undefined): string | undefined {
  const [, bracketed, name] = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::\d{1,5})?$/i.exec(host ?? "") ?? [];
  return (bracketed ?? name)?.toLowerCase();
}

/** No request has a body: what is to be changed stands in its path. */
function refuseBody({ headers }: IncomingMessage): Answer | undefined {
  const isEmpty = headers["transfer-encoding"] === undefined && Number(headers["content-length"] ?? 0) === 0;
  return isEmpty ? undefined : plain(413, "no body is read here");
}

/** Changes need the token, and, from a browser, this page's own origin. */
function refuseChange({ headers }: IncomingMessage, token: string): Answer | undefined {
  if (token === "") return plain(403, "nothing can be changed over HTTP: web.token is not set");
  const site = headers["sec-fetch-site"];
  const isOwn = headers.origin === `http://${headers.host}` || headers.origin === `https://${headers.host}`;
  if (!isOwn || (site !== undefined && site !== "same-origin"))
    return plain(403, "a change needs the header Origin of this page: http://HOST as in Host");
  const given = /^Bearer ([\x21-\x7e]+)$/.exec(headers.authorization ?? "")?.[1] ?? "";
  if (isSame(given, token)) return undefined;
  return plain(401, "a change needs web.token: Authorization: Bearer TOKEN", {
    "www-authenticate": "Bearer",
  });
}

/** Takes as long for a token that is nearly right. */
function isSame(given: string, token: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(token)];
  return one.length === other.length && timingSafeEqual(one, other);
}
