// The manual's pages, from what the program says of itself: commander's commands for blockmill(1), the
// configuration's doc strings for blockmill.json(5), the unit's own comments for blockmill@.service(8).

/** blockmill(1). */
export function commandManual(program, about) {
  const sections = [
    header("blockmill", 1, about),
    section("NAME", text(`blockmill - ${firstSentence(program.description())}`)),
    section("SYNOPSIS", `.B blockmill\n${roff("[options] command [arguments]")}\n`),
    section("DESCRIPTION", text(program.description())),
    section("OPTIONS", optionList(program.options)),
    section("COMMANDS", program.commands.map(commandText).join("")),
    ...afterHelp(program).map(([title, body]) => section(title.toUpperCase(), body)),
    section(
      "FILES",
      definition("/etc/blockmill/NAME.json", "The configuration of the instance NAME: blockmill.json(5).") +
        definition("/usr/lib/blockmill", "The releases; the link current leads to the one that is run."),
    ),
    seeAlso("blockmill.json(5), blockmill@.service(8)"),
  ];
  return sections.join("");
}

/** blockmill.json(5). */
export function configurationManual(keys, about) {
  const names = new Set(keys.map(({ path }) => path.split(".")[0]));
  const described = [...names].map((name) => {
    const entries = keys.filter(({ path }) => path.startsWith(`${name}.`)).map(keyText);
    return `.SS ${roff(name)}\n${entries.join("")}`;
  });
  return [
    header("blockmill.json", 5, about),
    section("NAME", text("blockmill.json - the configuration of blockmill")),
    section("SYNOPSIS", text("/etc/blockmill/NAME.json")),
    section(
      "DESCRIPTION",
      text(
        "A JSON object of sections, each an object of keys. What a file leaves out has its default. Later layers win: " +
          "defaults, the file, the service's credentials (database_url, database_listen_url and rpc_urls), the environment, flags. " +
          "`blockmill config` prints the effective configuration and where each value came from.",
      ) +
        code(
          `{"database": {"url": "postgresql://..."}, "rpc": {"urls": ["https://..."]}, "pipeline": {"workers": 8}}`,
        ),
    ),
    section("KEYS", described.join("")),
    seeAlso("blockmill(1), blockmill@.service(8)"),
  ].join("");
}

/** blockmill@.service(8). */
export function serviceManual(unit, about) {
  return [
    header("blockmill@.service", 8, about),
    section(
      "NAME",
      text(
        "blockmill@.service, blockmill.target - blockmill as a systemd service, an instance for each chain",
      ),
    ),
    section("SYNOPSIS", code("systemctl enable --now blockmill@NAME")),
    section(
      "DESCRIPTION",
      text(
        "blockmill@NAME.service runs one daemon, configured by /etc/blockmill/NAME.json. blockmill.target holds all " +
          "instances, blockmill.slice all their processes.",
      ) +
        definition(
          "systemctl start",
          "Returns when the daemon is up with a valid configuration. A database or a node that is down is waited for: STATUS says so. Exit code 78 is a wrong configuration or schema, which is not started again; systemctl status shows the reason.",
        ) +
        definition(
          "systemctl reload",
          "Checks the configuration first: a wrong one changes nothing, and the reload fails with the reason. Then the children are replaced one by one, by the newest installed release with the new configuration. Claims go on. The supervisor itself goes on with its code; only a restart replaces that, and is needed when database.url, database.schema, database.lease_seconds or a credential changes.",
        ) +
        definition(
          "systemctl stop, restart",
          "Workers finish what they hold, for pipeline.drain_seconds at most; what is left is given back to the queue.",
        ) +
        definition(
          "systemctl status",
          "Shows the head, how far the newest stored block lies behind it, the rate over the last minute, and the workers that are up.",
        ),
    ),
    section(
      "CREDENTIALS",
      text(
        "The database's and the nodes' URLs may stand in the configuration, whose files the group blockmill can read, or in files of their own that only root can read: /etc/blockmill/NAME.database_url, /etc/blockmill/NAME.database_listen_url and /etc/blockmill/NAME.rpc_urls (URLs separated by blanks or lines). They win over the configuration.",
      ),
    ),
    section(
      "ALERTS",
      text(
        "When an instance or one of its timers fails for good, blockmill-alert@.service writes that to the journal with the priority crit, and runs every program in /etc/blockmill/alert.d: the unit's name is its argument, the last lines of the journal are its input. The daemon runs them for its own alerts (alerts.command): then the arguments are alert, the kind, and raised or resolved, and the input is the alert as JSON.",
      ),
    ),
    section(
      "TIMERS",
      definition("blockmill-backup@NAME.timer", "A daily backup into /var/lib/blockmill/NAME/backups.") +
        definition("blockmill-verify@NAME.timer", "Proves a sample of the stored blocks each day."),
    ),
    section(
      "JOURNAL",
      text("Each line is a JSON object with its own priority:") +
        code(
          "journalctl -u blockmill@NAME -p err\njournalctl -u blockmill@NAME -o cat -f | /usr/lib/blockmill/bunyan",
        ),
    ),
    section(
      "THE UNIT",
      text("As it is installed. Change it with systemctl edit blockmill@NAME.") + code(unit.trimEnd()),
    ),
    seeAlso("blockmill(1), blockmill.json(5), systemd.service(5), systemd.resource-control(5)"),
  ].join("");
}

function commandText(command) {
  const usage = [command.name(), command.usage()].join(" ");
  const own = command.options.filter(({ hidden }) => !hidden);
  const more = afterHelp(command).map(([title, body]) =>
    title === "" ? body : `.P\n.I ${roff(title)}\n${body}`,
  );
  return `.SS ${roff(usage)}\n${text(sentence(command.description()))}${optionList(own)}${more.join("")}`;
}

function optionList(options) {
  return options.map((option) => definition(option.flags, sentence(withDefault(option)))).join("");
}

function withDefault({ description, defaultValue }) {
  const shown =
    defaultValue === undefined || defaultValue === false ? "" : ` (default ${JSON.stringify(defaultValue)})`;
  return `${description}${shown}`;
}

/** What a command's help says behind its options: [title, roff], a title of "" for what comes before the first one. */
function afterHelp(command) {
  let whole = "";
  const before = command.configureOutput();
  command.configureOutput({ ...before, writeOut: (part) => (whole += part) });
  command.outputHelp();
  command.configureOutput(before);
  const tail = whole.slice(command.helpInformation().length).trim();
  if (tail === "") return [];
  return tail.split(/\n\s*\n/).map((block) => {
    const [, title, body] = /^([A-Z][^\n:]*):\s*\n([\s\S]*)$/.exec(block) ?? [];
    return title === undefined
      ? ["", text(block.replace(/\s*\n\s*/g, " "))]
      : [title, code(body.replace(/^ {2}/gm, ""))];
  });
}

function keyText({ path, doc, format, default: byDefault, env }) {
  const facts = `Expected: ${format.expected}. Default: ${JSON.stringify(byDefault)}. Variable: ${env}.`;
  return `.TP\n.B ${roff(path)}\n${roff(doc)}\n.br\n${roff(facts)}\n`;
}

function header(name, number, { version, date }) {
  return `.TH ${name.toUpperCase()} ${number} ${date.toISOString().slice(0, 10)} "blockmill ${version}" blockmill\n.nh\n.ad l\n`;
}

function section(title, body) {
  return `.SH ${roff(title)}\n${body}`;
}

function seeAlso(pages) {
  return section("SEE ALSO", text(pages));
}

function text(words) {
  return `.P\n${roff(words)}\n`;
}

function code(lines) {
  return `.P\n.RS 4\n.nf\n${roff(lines)}\n.fi\n.RE\n`;
}

function definition(term, words) {
  return `.TP\n.B ${roff(term)}\n${roff(words)}\n`;
}

/** Text as roff: its escape character, hyphens that are minus signs, and lines that begin like a request. */
function roff(words) {
  return words
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^([.'])/gm, "\\&$1")
    .replace(
      /[^\x20-\x7e\n]/g,
      (char) => `\\[u${char.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}]`,
    );
}

function sentence(words) {
  // A key's name stays as it is written.
  if (/^\w+\.\w+$/.test(words)) return `${words}.`;
  const begun = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.!?)]$/.test(begun) ? begun : `${begun}.`;
}

function firstSentence(words) {
  const [first] = words.split(/\.\s|\.$/);
  return first.charAt(0).toLowerCase() + first.slice(1);
}
