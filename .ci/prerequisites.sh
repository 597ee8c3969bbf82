#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2154  # the tables are read, and $build and $top are set, by ./forge
# What building and testing need, as a table of command (or file) → Debian package. Sourced by ./forge.

# Needed by ./forge up, ./forge live: builds the server, the agent and the live image, and runs the server.
build_needs='
clang                                clang
ld                                   binutils
readelf                              binutils
cmake                                cmake
make                                 make
/usr/include/zstd.h                  libzstd-dev
/usr/include/openssl/ssl.h           libssl-dev
/usr/include/zlib.h                  zlib1g-dev
/usr/lib/x86_64-linux-gnu/libsqlite3.so.0   libsqlite3-0
zstd                                 zstd
xz                                   xz-utils
cpio                                 cpio
depmod                               kmod
curl                                 curl
'
# Needed by ./forge test, ./forge demo, ./forge bench: the virtual lab and programs of others that we are tested against.
lab_needs='
ip                                   iproute2
qemu-system-x86_64                   qemu-system-x86
/usr/share/OVMF/OVMF_CODE_4M.fd      ovmf
/usr/lib/ipxe/qemu/pxe-virtio.rom    ipxe-qemu
dnsmasq                              dnsmasq-base
nft                                  nftables
ethtool                              ethtool
sysctl                               procps
setpriv                              util-linux
/bin/busybox                         busybox-static
sgdisk                               gdisk
sfdisk                               fdisk
mformat                              mtools
mkfs.vfat                            dosfstools
mke2fs                               e2fsprogs
mkntfs                               ntfs-3g
mkfs.xfs                             xfsprogs
mkfs.btrfs                           btrfs-progs
mkfs.f2fs                            f2fs-tools
mkfs.exfat                           exfatprogs
mount.exfat-fuse                     exfat-fuse
lvm                                  lvm2
dmsetup                              dmsetup
file                                 file
cryptsetup                           cryptsetup-bin
fusermount                           fuse3
partclone.ntfs                       partclone
mmdebstrap                           mmdebstrap
grub-mkimage                         grub-common
/usr/lib/grub/i386-pc/boot.img       grub-pc-bin
/usr/lib/grub/x86_64-efi/kernel.img  grub-efi-amd64-bin
tftp                                 tftp-hpa
atftp                                atftp
udhcpc                               udhcpc
tshark                               tshark
wrk                                  wrk
script                               bsdutils
flock                                util-linux
bzip2                                bzip2
lz4                                  lz4
qemu-img                             qemu-utils
qemu-nbd                             qemu-utils
sqlite3                              sqlite3
shellcheck                           shellcheck
'
# The peers that only benches compare with.
bench_needs='
/usr/sbin/nginx                      nginx-light
losetup                              mount
fuser                                psmisc
udp-sender                           udpcast
'

# missing_packages TABLE : prints the packages of TABLE that are not there, once each.
missing_packages() {
    local need package
    # The sbin folders hold sgdisk, mke2fs and depmod and are not in an ordinary user's PATH.
    local PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
    while read -r need package; do
        [ -n "$need" ] || continue
        case $need in
            /*) [ -e "$need" ] || echo "$package" ;;
            *) command -v "$need" > /dev/null || echo "$package" ;;
        esac
    done <<< "$1" | sort -u
}

# need_packages TABLE : installs what is missing when it may, else names the exact command and stops.
need_packages() {
    local packages sudo=
    mapfile -t packages < <(missing_packages "$1")
    [ ${#packages[@]} -gt 0 ] || return 0
    if [ "$(id -u)" != 0 ]; then
        if command -v sudo > /dev/null && sudo -n true 2> /dev/null; then
            sudo=sudo
        else
            echo "forge: missing packages. Install them with:" >&2
            echo "  sudo apt-get install --no-install-recommends ${packages[*]}" >&2
            exit 1
        fi
    fi
    command -v apt-get > /dev/null || { echo "forge: this is not Debian; install what these Debian packages hold: ${packages[*]}" >&2; exit 1; }
    echo "installing ${packages[*]}"
    if ! { $sudo env DEBIAN_FRONTEND=noninteractive apt-get -q update &&
        $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends "${packages[@]}"; } > "$build/apt-install.log" 2>&1 < /dev/null; then
        tail -n 15 "$build/apt-install.log" >&2
        echo "forge: apt could not install them (the lines above say why). Try by hand:" >&2
        echo "  ${sudo:+sudo }apt-get update && ${sudo:+sudo }apt-get install --no-install-recommends ${packages[*]}" >&2
        exit 1
    fi
    mapfile -t packages < <(missing_packages "$1")
    [ ${#packages[@]} -eq 0 ] || { echo "forge: still missing after the installation: ${packages[*]}" >&2; exit 1; }
}

need_dotnet() {
    if ! command -v dotnet > /dev/null; then
        echo "forge: the .NET 10 SDK is missing. Install it, with Microsoft's feed for Debian among the apt sources, with:" >&2
        echo "  sudo apt-get install dotnet-sdk-10.0" >&2
        exit 1
    fi
    if ! dotnet --list-sdks 2> /dev/null | grep -q '^10\.'; then
        echo "forge: .NET SDK 10 is needed; this machine has: $(dotnet --list-sdks 2> /dev/null | cut -d' ' -f1 | paste -sd' ')" >&2
        echo "  sudo apt-get install dotnet-sdk-10.0     (from Microsoft's feed for Debian)" >&2
        exit 1
    fi
}

# Only where there is something for Node to build.
need_node() {
    [ -e "$top/web/package.json" ] || return 0
    local major
    major=$(node --version 2> /dev/null | sed -E 's/^v([0-9]+).*/\1/')
    if [ "${major:-0}" -lt 20 ]; then
        echo "forge: Node 20 or newer is needed for the web pages; this machine has ${major:-none}. Install it with:" >&2
        echo "  sudo apt-get install nodejs     (from a repository that has Node 20; Debian 12 itself has 18)" >&2
        exit 1
    fi
}
