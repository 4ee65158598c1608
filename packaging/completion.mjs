// Completion, from the same commander objects that print --help.

export function bashCompletion(program, keys) {
  const commands = commandsOf(program);
  const cases = commands.map(
    ({ name, options }) => `    ${name}) words="${options.flatMap(({ flags }) => flags).join(" ")}" ;;`,
  );
  return `# bash completion for blockmill, made from its own --help.
_blockmill() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command= words i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      ${commands.map(({ name }) => name).join("|")}) command=\${COMP_WORDS[i]}; break ;;
    esac
  done
  case $prev in
    ${filesAfter(program).join("|")}) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    --set) compopt -o nospace; COMPREPLY=($(compgen -W "${keys.map(({ path }) => `${path}=`).join(" ")}" -- "$cur")); return ;;
  esac
  case $command in
    '') words="${commands.map(({ name }) => name).join(" ")}" ;;
${cases.join("\n")}
  esac
  words="$words ${optionsOf(program)
    .flatMap(({ flags }) => flags)
    .join(" ")} --help"
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _blockmill blockmill
`;
}

export function zshCompletion(program, keys) {
  const commands = commandsOf(program);
  const globals = optionsOf(program).map((option) => zshOption(option, keys));
  const cases = commands.map(
    ({ name, options }) =>
      `    ${name}) _arguments "$global[@]" ${options.map((option) => zshOption(option, keys)).join(" ")} '*: :_default' ;;`,
  );
  return `#compdef blockmill
# zsh completion for blockmill, made from its own --help.
local -a global commands
global=(${globals.join(" ")} '(-h --help)'{-h,--help}'[help]')
commands=(
${commands.map(({ name, description }) => `  ${quote(`${name}:${description}`)}`).join("\n")}
)
local curcontext="$curcontext" state line
_arguments -C "$global[@]" '1: :->command' '*:: :->arguments'
case $state in
  command) _describe command commands ;;
  arguments)
    case $line[1] in
${cases.map((each) => `  ${each}`).join("\n")}
    esac ;;
esac
`;
}

function commandsOf(program) {
  return program.commands.map((command) => ({
    name: command.name(),
    description: command.description(),
    options: optionsOf(command),
  }));
}

function optionsOf(command) {
  return command.options
    .filter(({ hidden }) => !hidden)
    .map((option) => ({
      flags: [option.short, option.long].filter((flag) => flag !== undefined),
      description: option.description,
      takes:
        option.required || option.optional ? /<([^>]+)>|\[([^\]]+)\]/.exec(option.flags)?.[1] : undefined,
    }));
}

/** Flags whose value is a file. */
function filesAfter(program) {
  const all = [program, ...program.commands].flatMap(optionsOf);
  return [...new Set(all.filter(({ takes }) => /file|dir/.test(takes ?? "")).flatMap(({ flags }) => flags))];
}

function zshOption({ flags, description, takes }, keys) {
  const values = /key/.test(takes ?? "") ? `(${keys.map(({ path }) => `${path}=`).join(" ")})` : "_files";
  const action =
    takes === undefined ? "" : `:${takes.replaceAll(":", "")}:${/file|dir|key/.test(takes) ? values : ""}`;
  const text = `[${description.replace(/[[\]:]/g, " ")}]${action}`;
  return flags.length === 1
    ? quote(`${flags[0]}${text}`)
    : `'(${flags.join(" ")})'{${flags.join(",")}}${quote(text)}`;
}

function quote(words) {
  return `'${words.replaceAll("'", "'\\''")}'`;
}
