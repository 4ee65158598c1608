// Readable by every Node that has modules: it tells of those that are too old.

/** Whether a version ("20.20.2") is below another or the floor that package.json gives (">=22.22"). */
export function isOlder(version, than) {
  const [now, least] = [version, than].map((text) => text.match(/\d+/g).map(Number));
  return now[0] < least[0] || (now[0] === least[0] && now[1] < least[1]);
}
