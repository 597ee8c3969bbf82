#!/usr/bin/env bash
# Builds the live image from Debian packages: build/live/{vmlinuz,initrd.img,live-image.json}.
# The same inputs give the same bytes: order, times, owners and compression are fixed here.
#   build.sh [--drivers virtual|full] [--suite bookworm|trixie] [--agent FILE]
set -euo pipefail
# Modes of files and folders go into the archive: the builder's own umask must not.
umask 022
export LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${IMAGEFORGE_BUILD:-$here/../../build}
mkdir -p "$build"
build=$(cd "$build" && pwd)
# shellcheck source=SCRIPTDIR/debian.sh
. "$here/debian.sh"

drivers=virtual suite=bookworm agent=$build/agent/imageforge-agent
while [ $# -gt 0 ]; do
    case $1 in
        --drivers) drivers=$2 ;;
        --suite) suite=$2 ;;
        --agent) agent=$(realpath "$2") ;;
        *) die "unknown option $1 (known: --drivers virtual|full, --suite bookworm|trixie, --agent FILE)" ;;
    esac
    shift 2
done
[ -r "$here/drivers/$drivers.txt" ] || die "there is no driver set \"$drivers\"; use virtual or full"
[ -x "$agent" ] || die "$agent is missing; ./forge live builds it first"

components=main firmware_packages=()
if [ "$drivers" = full ]; then
    components="main non-free-firmware"
    firmware_packages=(firmware-realtek firmware-bnx2 firmware-bnx2x firmware-misc-nonfree firmware-qlogic firmware-netxen firmware-cavium)
fi
debian_index "$suite" "$components"
kernel_package=$(apt_in "$suite" apt-cache depends linux-image-amd64 | awk '$1 == "Depends:" { print $2; exit }')
# Debian trixie renamed libraries when time_t became 64 bits wide.
package_of() { [ -n "$(apt_in "$suite" apt-cache show "$1" 2> /dev/null)" ] && echo "$1" || echo "$1t64"; }
packages=("$kernel_package" busybox-static)
# Grow file systems after a deploy onto a larger disk (XFS and Btrfs need only the kernel for that).
tool_packages=(e2fsprogs "$(package_of libext2fs2)" "$(package_of libcom-err2)" libblkid1 libuuid1 ntfs-3g "$(package_of libntfs-3g89)" libc6)
mapfile -t debs < <(debian_fetch "$suite" "${packages[@]}" "${tool_packages[@]}" "${firmware_packages[@]}")
[ "${#debs[@]}" = $((${#packages[@]} + ${#tool_packages[@]} + ${#firmware_packages[@]})) ] || die "not every package could be downloaded; see the lines above"

# Unpacked packages are kept: unpacking the kernel is the slowest step of a rebuild.
unpacked=()
for deb in "${debs[@]}"; do
    folder=$build/apt/$suite/unpacked/$(basename "$deb" .deb)
    if [ ! -e "$folder.done" ]; then
        rm -rf "$folder"
        mkdir -p "$folder"
        dpkg-deb -x "$deb" "$folder"
        touch "$folder.done"
    fi
    unpacked+=("$folder")
done
kernel_root=${unpacked[0]}
# trixie keeps modules under usr/lib; modprobe looks under lib.
[ -e "$kernel_root/lib" ] || ln -s usr/lib "$kernel_root/lib"
kernel=$(basename "$kernel_root"/lib/modules/*)
[ -e "$kernel_root/lib/modules/$kernel/modules.dep" ] || depmod -b "$kernel_root" "$kernel"

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,sbin,dev,proc,sys,run,tmp,etc,root,lib/modules/"$kernel",lib/firmware}
ln -s run "$root/var"

install -m 0755 "${unpacked[1]}/bin/busybox" "$root/bin/busybox" 2>/dev/null || install -m 0755 "${unpacked[1]}/usr/bin/busybox" "$root/bin/busybox"
for applet in sh cat chmod dmesg echo find grep ip ls mkdir mount poweroff ps reboot sed sleep sort sync tr udhcpc umount uname wc xargs; do
    ln -s busybox "$root/bin/$applet"
done
ln -s ../bin/busybox "$root/sbin/modprobe"
install -m 0755 "$here/init" "$root/init"
install -m 0755 "$here/udhcpc.script" "$root/etc/udhcpc.script"
: > "$root/etc/resolv.conf"
printf 'root:x:0:0:root:/root:/bin/sh\n' > "$root/etc/passwd"

# One file without shared libraries: nothing else is needed for it.
install -m 0755 "$agent" "$root/bin/imageforge-agent"
if readelf -d "$agent" 2> /dev/null | grep -q NEEDED; then
    die "$agent needs shared libraries, which the live image does not have; publish it with -p:PublishAot=true"
fi

# Tools keep their places; their libraries all go to /lib, where the dynamic loader looks without a cache.
mkdir -p "$root/lib64"
for tool in e2fsck resize2fs ntfsresize; do
    file=$(find "${unpacked[@]:2:${#tool_packages[@]}}" -path "*sbin/$tool" -type f | head -n 1)
    [ -n "$file" ] || die "no package of $suite has $tool"
    install -m 0755 "$file" "$root/sbin/$tool"
done
add_libraries() { # FILE… : what they need, and what that needs
    local needed name file
    for needed in "$@"; do
        for name in $(readelf -d "$needed" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
            case $name in
                ld-linux*) [ -e "$root/lib64/$name" ] && continue ;;
                *) [ -e "$root/lib/$name" ] && continue ;;
            esac
            file=$(find "${unpacked[@]:2:${#tool_packages[@]}}" -name "$name" | head -n 1)
            [ -n "$file" ] || die "$needed needs $name, which none of the tools' packages has"
            case $name in
                ld-linux*) install -m 0755 "$(realpath "$file")" "$root/lib64/$name" ;;
                *) install -m 0644 "$(realpath "$file")" "$root/lib/$name" && add_libraries "$root/lib/$name" ;;
            esac
        done
    done
}
add_libraries "$root"/sbin/{e2fsck,resize2fs,ntfsresize}

# Modules with everything they depend on. Decompressed (trixie ships .ko.xz): the whole archive is compressed once, and better.
lists=("$here/drivers/virtual.txt")
[ "$drivers" = full ] && lists+=("$here/drivers/full.txt")
grep -hv '^#' "${lists[@]}" | sort -u | while read -r module; do
    modprobe -d "$kernel_root" -S "$kernel" --show-depends "$module" > "$root/tmp/depends" 2>/dev/null ||
        die "kernel $kernel has no module $module; remove it from drivers/$drivers.txt"
    sed -n 's/^insmod \(.*[^ ]\) *$/\1/p' "$root/tmp/depends"
done | sort -u | while read -r file; do
    to=$root/lib/modules/$kernel/${file##*"/lib/modules/$kernel/"}
    mkdir -p "$(dirname "$to")"
    case $file in
        *.xz) xz -dc "$file" > "${to%.xz}" ;;
        *) cp "$file" "$to" ;;
    esac
done
rm -f "$root/tmp/depends"
if [ "$drivers" = full ]; then
    find "$root/lib/modules" -name '*.ko' -exec modinfo -F firmware {} + | sort -u | while read -r name; do
        for folder in "${unpacked[@]:2 + ${#tool_packages[@]}}"; do
            # trixie's packages keep it under usr/lib.
            for place in lib/firmware usr/lib/firmware; do
                [ -e "$folder/$place/$name" ] || continue
                install -D -m 0644 "$(realpath "$folder/$place/$name")" "$root/lib/firmware/$name"
                break
            done
        done
    done
    [ -n "$(ls -A "$root/lib/firmware")" ] || die "no firmware file was found in the firmware packages of $suite"
fi
cp "$kernel_root/lib/modules/$kernel"/modules.{builtin,builtin.modinfo,order} "$root/lib/modules/$kernel/"
depmod -b "$root" "$kernel"
# busybox reads only these; the binary indexes are for kmod.
rm -f "$root/lib/modules/$kernel"/modules.*.bin "$root/lib/modules/$kernel"/modules.{builtin.modinfo,order,devname,softdep,weakdep}

inputs=
for i in "${!debs[@]}"; do
    inputs+="${inputs:+,}
    {\"package\": \"$(dpkg-deb -f "${debs[i]}" Package)\", \"version\": \"$(dpkg-deb -f "${debs[i]}" Version)\", \"sha256\": \"$(sha256_of "${debs[i]}")\"}"
done
# What is inside the agent comes from this machine's own development packages.
for package in libssl-dev libzstd-dev libc6-dev; do
    version=$(dpkg-query -W -f '${Version}' "$package" 2> /dev/null) || continue
    inputs+=",
    {\"package\": \"$package\", \"version\": \"$version\", \"usedBy\": \"agent\"}"
done
printf '%s (%s drivers)\n' "$(printf '%s' "$inputs$(sha256_of "$agent")" | sha256sum | cut -c1-12)" "$drivers" > "$root/etc/imageforge-live"

find "$root" -exec touch -h -d @0 {} +
mkdir -p "$build/live.new"
(cd "$root" && find . -mindepth 1 -print0 | sort -z | cpio --quiet -0 -o -H newc --reproducible --owner=0:0) |
    zstd -q -19 -T2 --no-progress -o "$build/live.new/initrd.img" -f
install -m 0644 "$kernel_root"/boot/vmlinuz-* "$build/live.new/vmlinuz"

cat > "$build/live.new/live-image.json" <<JSON
{
  "kernelVersion": "$kernel",
  "drivers": "$drivers",
  "files": [
    {"name": "vmlinuz", "sha256": "$(sha256_of "$build/live.new/vmlinuz")", "bytes": $(stat -c %s "$build/live.new/vmlinuz")},
    {"name": "initrd.img", "sha256": "$(sha256_of "$build/live.new/initrd.img")", "bytes": $(stat -c %s "$build/live.new/initrd.img")}
  ],
  "agentSha256": "$(sha256_of "$agent")",
  "compressor": "$(zstd --version | grep -o 'v[0-9.]*')",
  "inputs": [$inputs
  ]
}
JSON
rm -rf "$build/live"
mv "$build/live.new" "$build/live"
size=$(($(stat -c %s "$build/live/vmlinuz") + $(stat -c %s "$build/live/initrd.img")))
say "live image in build/live: kernel $kernel, $drivers drivers, $((size / 1000)) kB to download"
if [ "$drivers" = virtual ] && [ "$size" -gt 25000000 ]; then
    die "the live image is $size bytes; the limit for the virtual drivers is 25,000,000"
fi
