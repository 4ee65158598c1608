#!/bin/sh
# install.sh [--uninstall]: installs this release beside those before it, and leads the system to it. The
# daemons that run are rolled onto it. To go back, run the install.sh of an older release. As root.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
home=/usr/lib/blockmill
[ "$(id -u)" = 0 ] || { echo "install.sh must run as root" >&2; exit 1; }
[ "$(uname -m)" = x86_64 ] || { echo "this release is for x86_64" >&2; exit 1; }
command -v systemctl >/dev/null || { echo "there is no systemd here" >&2; exit 1; }

# Each would overwrite and remove the other's files.
case "$(dpkg-query --show --showformat='${db:Status-Status}' blockmill 2>/dev/null || true)" in
  '' | not-installed | config-files) ;;
  *) echo "blockmill was installed here from its Debian package: apt upgrades it, and apt remove blockmill removes it" >&2; exit 1 ;;
esac

if [ "${1-}" = --uninstall ]; then
  systemctl stop blockmill.target 'blockmill@*.service' 'blockmill-backup@*' 'blockmill-verify@*' || true
  (cd "$here/tree" && find usr/lib/systemd usr/lib/sysusers.d usr/lib/tmpfiles.d usr/share usr/bin ! -type d) |
    while read -r file; do rm -f "/$file"; done
  rmdir /usr/lib/systemd/system/blockmill-*@.service.d
  rm -rf "$home" /etc/systemd/system/blockmill@.service.d/50-restart-steps.conf
  systemctl daemon-reload || true
  echo "Removed. Left: /etc/blockmill, /var/lib/blockmill, and the user blockmill."
  exit 0
fi

before=$(readlink "$home/current" 2>/dev/null || true)
release=$(readlink "$here/tree/usr/lib/blockmill/current")
mkdir -p "$home/releases"
# Beside the old ones, whole, before anything leads to it.
rm -rf "$home/$release.new"
cp -a "$here/tree/usr/lib/blockmill/$release" "$home/$release.new"
rm -rf "${home:?}/$release"
mv "$home/$release.new" "$home/$release"
# A program that runs cannot be overwritten, but replaced.
(cd "$here/tree" && find etc usr -path "usr/lib/blockmill/releases" -prune -o -path usr/lib/blockmill/current -o ! -type d -print) |
  while read -r file; do
    [ "$file" != etc/blockmill/example.json ] || [ ! -e /etc/blockmill/example.json ] || continue
    mkdir -p "/${file%/*}"
    cp -a "$here/tree/$file" "/$file.new"
    mv "/$file.new" "/$file"
  done
ln -s "$release" "$home/current.new"
mv -T "$home/current.new" "$home/current"
chown -R root:root "$home"
if [ -n "$before" ]; then "$home/setup" upgrade; else "$home/setup" install; fi
echo "Installed ${release#releases/}. Releases here: $(ls "$home/releases" | tr '\n' ' ')"
