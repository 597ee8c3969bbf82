#!/usr/bin/env bash
# Fetches the iPXE binaries that TFTP and HTTP hand out: build/boot-files/{undionly.kpxe,snponly.efi,ipxe.efi,boot-files.json}.
# trixie's build is preferred (HTTPS, console, newer drivers); bookworm's stands in when trixie cannot be had.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${IMAGEFORGE_BUILD:-$here/../../build}
mkdir -p "$build"
build=$(cd "$build" && pwd)
# shellcheck source=SCRIPTDIR/debian.sh
. "$here/debian.sh"

out=$build/boot-files
suite=trixie
if ! { debian_index trixie main && deb=$(debian_fetch trixie ipxe); }; then
    say "note: iPXE of Debian trixie cannot be had from $(debian_mirror) (see above); using bookworm's 2019 build instead (no HTTPS, no console)"
    suite=bookworm
    debian_index bookworm main
    deb=$(debian_fetch bookworm ipxe)
fi

package_version=$(dpkg-deb -f "$deb" Version)
unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
dpkg-deb -x "$deb" "$unpacked"

mkdir -p "$out.new"
entries=
for name in undionly.kpxe snponly.efi ipxe.efi; do
    # bookworm's package has no snponly.efi on some architectures; its ipxe.efi drives the NIC itself and does the same work.
    from=$unpacked/usr/lib/ipxe/$name
    [ -e "$from" ] || from=$unpacked/usr/lib/ipxe/ipxe.efi
    install -m 0644 "$(realpath "$from")" "$out.new/$name"
    entries+="${entries:+,}
    {\"name\": \"$name\", \"sha256\": \"$(sha256_of "$out.new/$name")\", \"bytes\": $(stat -c %s "$out.new/$name")}"
done
# Debian's version 1.21.1+git20250501… : iPXE reports the part before the plus to DHCP (option 175.235).
cat > "$out.new/boot-files.json" <<JSON
{
  "ipxeVersion": "${package_version%%+*}",
  "source": "Debian $suite, package ipxe $package_version, sha256 $(sha256_of "$deb")",
  "files": [$entries
  ]
}
JSON
rm -rf "$out"
mv "$out.new" "$out"
say "iPXE $package_version (Debian $suite) in build/boot-files"
