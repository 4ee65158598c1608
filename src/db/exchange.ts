import type { Socket } from "node:net";
import pg from "pg";
import type { Sql } from "./pool.js";
import { PoolClient } from "./pool-client.js";

/** A statement, and what its answer means. */
export interface Statement<T> {
  query: pg.QueryConfig;
  /** What a COPY FROM STDIN reads. */
  data?: readonly Buffer[];
  read(answer: pg.QueryResult): T;
  /** What is thrown where the server refuses this one; as it is, if it is left out. */
  refused?(error: Error): Error;
}

type Answers<S extends readonly unknown[]> = { [I in keyof S]: S[I] extends Statement<infer T> ? T : never };

/** Runs one statement, which is not a COPY. */
export async function send<T>(sql: Sql, { query, read }: Statement<T>): Promise<T> {
  return read(await sql.query(query));
}

/**
 * Sends statements in one go and returns what their answers mean: the way to the database and back is gone once,
 * however many they are. The server runs them one after the other, each with a snapshot of its own. When one
 * fails, none behind it runs, and its error is thrown. To be used inside a transaction.
 */
export async function sendTogether<const S extends readonly Statement<unknown>[]>(
  client: pg.ClientBase,
  statements: S,
): Promise<Answers<S>> {
  if (statements.length === 0) return [] as Answers<S>;
  const answers = await new Promise<pg.QueryResult[]>((resolve, reject) => {
    client.query(new Exchange(client, statements, (error, all) => (error ? reject(error) : resolve(all))));
  });
  return statements.map(({ read }, i) => read(answers[i] as pg.QueryResult)) as Answers<S>;
}

// pg has these, and its types do not.
interface SentQuery extends pg.Query {
  name?: string;
  text: string;
  handleRowDescription(message: unknown): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: ProtocolConnection): void;
  handleReadyForQuery(connection: ProtocolConnection): void;
}
interface ProtocolConnection extends pg.Connection {
  readonly stream: Socket;
  readonly parsedStatements: Record<string, string>;
  readonly submittedNamedStatements: Record<string, string>;
}

const copyDone = Buffer.from([0x63, 0, 0, 0, 4]);

/** How a message of COPY data begins, in front of `chunk`. */
function copyData(chunk: Buffer): Buffer {
  const head = Buffer.allocUnsafe(5);
  head[0] = 0x64;
  head.writeUInt32BE(chunk.length + 4, 1);
  return head;
}

type Callback = (error: Error | null | undefined, answers: pg.QueryResult[]) => void;

/**
 * What pg takes for a single query: several in PostgreSQL's extended protocol, with one Sync behind the last.
 * After an error the server passes over everything up to there, the data of a COPY too.
 */
class Exchange implements pg.Submittable {
  /** pg puts its own before it, where a timeout is set. */
  callback: Callback;
  readonly #queries: SentQuery[];
  readonly #data: (readonly Buffer[] | undefined)[];
  readonly #refusals: (((error: Error) => Error) | undefined)[];
  readonly #answers: pg.QueryResult[] = [];
  #at = 0;
  #refused: Error | undefined;

  constructor(client: pg.ClientBase, statements: readonly Statement<unknown>[], callback: Callback) {
    this.callback = callback;
    this.#data = statements.map(({ data }) => data);
    this.#refusals = statements.map(({ refused }) => refused);
    const types = { getTypeParser: client.getTypeParser.bind(client) };
    const isNamed = !(client instanceof PoolClient) || client.keepsNames;
    this.#queries = statements.map(({ query }) => {
      const config = { ...query, types, queryMode: "extended", ...(isNamed ? {} : { name: undefined }) };
      return new pg.Query(config, (error, answer) => {
        if (error) this.#refused ??= error;
        else this.#answers.push(answer as unknown as pg.QueryResult);
      }) as SentQuery;
    });
  }

  // The name and the text of the query that is being answered: pg notes what has been prepared.
  get name(): string | undefined {
    return this.#queries[this.#at]?.name;
  }

  get text(): string {
    return this.#queries[this.#at]?.text ?? "";
  }

  submit(connection: pg.Connection): Error | undefined {
    const { stream } = connection as ProtocolConnection;
    const withoutSync = Object.create(connection, { sync: { value: () => {} } }) as ProtocolConnection;
    stream.cork();
    try {
      for (const [i, query] of this.#queries.entries()) {
        const refused = query.submit(withoutSync) as Error | undefined | null;
        if (refused) this.#refused ??= refused;
        // Its values cannot be sent, and what was sent before it must not run alone.
        if (this.#refused !== undefined) {
          stream.destroy(this.#refused);
          return this.#refused;
        }
        const data = this.#data[i];
        if (data === undefined) continue;
        for (const chunk of data) {
          stream.write(copyData(chunk));
          stream.write(chunk);
        }
        stream.write(copyDone);
      }
      connection.sync();
    } finally {
      stream.uncork();
    }
    return undefined;
  }

  handleRowDescription(message: unknown): void {
    this.#queries[this.#at]?.handleRowDescription(message);
  }

  handleDataRow(message: unknown): void {
    this.#queries[this.#at]?.handleDataRow(message);
  }

  handleCommandComplete(message: unknown, connection: ProtocolConnection): void {
    const query = this.#queries[this.#at];
    query?.handleCommandComplete(message, connection);
    query?.handleReadyForQuery(connection);
    this.#at += 1;
  }

  /** Its data is on the way. */
  handleCopyInResponse(): void {}

  handleError(error: Error, connection: ProtocolConnection): void {
    // Those behind it were not even prepared.
    for (const { name } of this.#queries.slice(this.#at)) {
      if (name !== undefined) delete connection.submittedNamedStatements[name];
    }
    this.callback(this.#refusals[this.#at]?.(error) ?? error, []);
  }

  handleReadyForQuery(): void {
    this.callback(this.#refused, this.#answers);
  }
}
