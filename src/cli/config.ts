import type { Command } from "commander";
import { listKeys } from "../config/schema.js";
import { redactTexts } from "../redact.js";
import { exitCodes } from "./exit-codes.js";
import { run } from "./run-command.js";
import type { GlobalOptions, Session } from "./session.js";
import { createPaint, formatTable } from "./terminal.js";

interface ConfigOptions {
  json?: boolean;
  explain?: boolean;
}

export function addConfig(program: Command): void {
  const show = run(showConfig);
  program
    .command("config")
    .description("print the effective configuration and where each value came from")
    .option("--explain", "print every key: its meaning, what is expected, its default, its variable")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Later layers win: defaults, the file, credentials (NAME.database_url beside NAME.json, or systemd's), BLOCKMILL_*
variables, flags. Secrets are not printed: of URLs
only the host. Needs neither a database nor a node; --explain works beside a configuration that is wrong.

Examples:
  blockmill config -c mainnet.json
  blockmill config --explain
  blockmill config --set pipeline.workers=8 --json`,
    )
    .action(async (options: ConfigOptions & GlobalOptions, command: Command) => {
      // It must also help the one whose configuration cannot be loaded.
      if (options.explain) process.stdout.write(explain(options));
      else await show(options, command);
    });
}

async function showConfig({ loaded, redact }: Session, { json }: ConfigOptions): Promise<number> {
  const values = listKeys().map(({ path, sensitive }) => {
    const value = valueAt(loaded.config, path);
    return {
      path,
      value: sensitive ? redactTexts(value, redact) : value,
      source: loaded.sources.get(path) ?? "",
    };
  });
  if (json) {
    const entries = values.map(({ path, ...rest }) => [path, rest]);
    process.stdout.write(`${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`);
    return exitCodes.done;
  }
  const paint = createPaint(process.stdout);
  process.stdout.write(
    formatTable(
      [{ head: "key" }, { head: "value" }, { head: "from" }],
      values.map(({ path, value, source }) => [
        path,
        JSON.stringify(value),
        source === "default" ? paint("dim", source) : paint("cyan", source),
      ]),
      paint,
    ),
  );
  return exitCodes.done;
}

function valueAt(config: object, path: string): unknown {
  return path.split(".").reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], config);
}

function explain({ json }: ConfigOptions): string {
  const keys = listKeys().map(({ path, doc, format, default: byDefault, env }) => ({
    key: path,
    doc,
    expected: format.expected,
    default: byDefault,
    env,
  }));
  if (json) return `${JSON.stringify(keys, null, 2)}\n`;
  const paint = createPaint(process.stdout);
  return keys
    .map(
      ({ key, doc, expected, default: byDefault, env }) =>
        `${paint("bold", key)}  ${paint("dim", `default ${JSON.stringify(byDefault)}`)}\n` +
        `  ${doc}\n  ${paint("dim", "Expected:")} ${expected}\n  ${paint("dim", "Variable:")} ${env}\n`,
    )
    .join("\n");
}
