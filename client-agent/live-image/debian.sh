#!/usr/bin/env bash
# shellcheck disable=SC2154  # $build is set by the script that sources this
# Debian packages without touching this machine's own apt: a private apt root per suite under build/apt/.
# The mirror is the machine's own (first Debian archive entry of its sources); only the suite is ours.
# Sourced by the other scripts here; needs $build (the build folder).

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

say() { printf '%s\n' "$*" >&2; }
die() { say "forge: $*"; exit 1; }

# Prints "URI" lines of every Debian archive entry (not security, not third parties), deb822 or one-line format.
debian_mirrors() {
    local file
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -r "$file" ] || continue
        sed -E 's/#.*//; s/\[[^]]*\]//' "$file" | awk '$1 == "deb" { print $2 }'
    done
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -r "$file" ] || continue
        awk 'function flush() { if (types ~ /(^| )deb( |$)/ && enabled != "no") print uris; types = uris = enabled = "" }
             /^#/ { next }
             /^[ \t]*$/ { flush(); next }
             tolower($1) == "types:" { $1 = ""; types = $0 }
             tolower($1) == "uris:" { uris = $2 }
             tolower($1) == "enabled:" { enabled = tolower($2) }
             END { flush() }' "$file"
    done
}

debian_mirror() {
    debian_mirrors | grep -E '(/debian/?$|/mirrors/debian\.list$)' | head -n 1
}

# apt_in SUITE COMMAND… : apt-get or apt-cache inside the private root of that suite.
apt_in() {
    local root=$build/apt/$1 command=$2
    shift 2
    "$command" -o Dir::Etc="$root/etc" -o Dir::Etc::SourceParts=- -o Dir::State="$root/state" -o Dir::State::status="$root/state/status" \
        -o Dir::Cache="$root/cache" -o APT::Sandbox::User=root -o APT::Architecture=amd64 -o APT::Architectures=amd64 \
        -o Acquire::Languages=none -o Acquire::Retries=3 "$@"
}

# debian_index SUITE COMPONENTS : fetches the package index once a day. Fails when the suite cannot be had or verified.
debian_index() {
    local suite=$1 components=$2 root=$build/apt/$1 mirror
    if [ -n "$(find "$root/fresh-$components" -mmin -1440 2>/dev/null)" ]; then return 0; fi
    mirror=$(debian_mirror)
    [ -n "$mirror" ] || die "no Debian archive in /etc/apt/sources.list or /etc/apt/sources.list.d; add one"
    [ -r "$keyring" ] || die "$keyring is missing; install it with: apt-get install debian-archive-keyring"
    mkdir -p "$root"/etc/preferences.d "$root"/etc/apt.conf.d "$root"/etc/trusted.gpg.d "$root"/state/lists/partial "$root"/cache/archives/partial
    : > "$root/state/status"
    printf 'deb [signed-by=%s] %s %s %s\n' "$keyring" "$mirror" "$suite" "$components" > "$root/etc/sources.list"
    say "reading the package index of Debian $suite ($components)"
    if ! apt_in "$suite" apt-get -q update -o APT::Update::Error-Mode=any > "$root/update.log" 2>&1; then
        sed 's/^/  /' "$root/update.log" >&2
        return 1
    fi
    touch "$root/fresh-$components"
}

# debian_fetch SUITE PACKAGE… : downloads verified packages; prints one "path" line each.
debian_fetch() {
    local suite=$1 package file
    shift
    mkdir -p "$build/apt/$suite/debs"
    for package in "$@"; do
        file=$(apt_in "$suite" apt-get download --print-uris "$package" 2>/dev/null | awk '{ print $2 }')
        [ -n "$file" ] || { say "Debian $suite has no package $package"; return 1; }
        if [ ! -s "$build/apt/$suite/debs/$file" ]; then
            say "downloading $file"
            (cd "$build/apt/$suite/debs" && apt_in "$suite" apt-get -qq download "$package") || return 1
        fi
        printf '%s\n' "$build/apt/$suite/debs/$file"
    done
}

sha256_of() { sha256sum "$1" | cut -d' ' -f1; }
