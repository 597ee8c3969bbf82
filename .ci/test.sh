#!/usr/bin/env bash
# shellcheck disable=SC2154  # $build, $top and the tables come from ./forge
# ./forge test: every suite with its seconds, then one line "N passed, N failed, N skipped". Sourced by ./forge.

passed=0 failed=0 skipped=0

# check NAME COMMAND… : something that is not a test project counts as one test.
check() {
    local name=$1 log started=$SECONDS
    shift
    log=$build/test/$name.log
    if "$@" > "$log" 2>&1 < /dev/null; then
        passed=$((passed + 1))
        printf '%-32s passed %32s %5d s\n' "$name" '' $((SECONDS - started))
    else
        failed=$((failed + 1))
        tail -n 60 "$log"
        printf '%-32s FAILED %32s %5d s\n' "$name" '' $((SECONDS - started))
    fi
}

counter() { sed -n "s/.*<Counters \(.* \)\{0,1\}$1=\"\([0-9]*\)\".*/\2/p" "$2"; }

# suite PROJECT SECONDS [FILTER] : one test project with its own time limit; a suite that dies or runs nothing is a failure.
suite() {
    local name=$1 limit=$2 filter=${3:-} log=$build/test/$1.log trx=$build/test/$1.trx code=0 started=$SECONDS p=0 f=0 s=0
    # -k: a run that ignores the polite signal is ended for good, so that no suite can hold the whole run.
    timeout -k 30 "$limit" dotnet test "tests/$name" -c Release --no-build --nologo --results-directory "$build/test" \
        --logger "trx;LogFileName=$name.trx" --logger "console;verbosity=normal" ${filter:+--filter "$filter"} > "$log" 2>&1 < /dev/null || code=$?
    if [ -s "$trx" ]; then
        p=$(counter passed "$trx") f=$(counter failed "$trx") s=$(($(counter total "$trx") - $(counter executed "$trx")))
    fi
    if [ "$code" != 0 ] && [ "$f" = 0 ]; then
        f=1
        echo "$name: ended with code $code$([ "$code" = 124 ] && echo " (over its limit of $limit s)")"
    elif [ $((p + f)) = 0 ]; then
        f=1
        echo "$name: no test ran"
    fi
    [ "$f" = 0 ] || grep -vE '^\s+Passed ' "$log" | tail -n 200
    # What tests measured is worth its line.
    if [ -s "$build/test/measured.txt" ]; then
        sed 's/^/  /' "$build/test/measured.txt"
        rm "$build/test/measured.txt"
    fi
    printf '%-32s %5d passed, %4d failed, %4d skipped %7d s\n' "$name" "$p" "$f" "$s" $((SECONDS - started))
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

scripts_are_clean() { git ls-files -z '*.sh' forge .ci/run client-agent/live-image/init client-agent/live-image/udhcpc.script | xargs -0 shellcheck -x; }

# Between the markers of README.md, where people look for it.
write_long_result() {
    local line
    line="Last run of \`./forge test --long\`: $(date -u +%Y-%m-%d) — $1."
    sed -i "/<!-- long-test -->/,/<!-- \/long-test -->/c\\<!-- long-test -->\n$line\n<!-- /long-test -->" README.md
}

# write_bench_result NAME LOG : the last line of a full bench run into the table of README.md, one row per bench.
write_bench_result() {
    local line row
    line=$(grep "^bench $1: " "$2" | tail -n 1 | sed "s/^bench $1: //")
    case $line in *ratio=*) ;; *) return 0 ;; esac
    row="| \`$1\` | $(date -u +%Y-%m-%d) | $(sed -n 's/.*\bratio=\([0-9.]*\).*/\1/p' <<< "$line") | ${line//|/} |"
    awk -v name="| \`$1\` |" -v row="$row" '
        /<!-- bench -->/ { inside = 1 }
        inside && index($0, name) == 1 { if (!done) print row; done = 1; next }
        /<!-- \/bench -->/ { if (!done) print row; inside = 0 }
        { print }' README.md > "$build/README.md.new"
    cat "$build/README.md.new" > README.md
    rm "$build/README.md.new"
}

run_tests() {
    local form='form!=long' long='' only=() name limit started=$SECONDS line
    while [ $# -gt 0 ]; do
        case $1 in
            # Every fuzz test runs five times as many cases: over a million in all.
            --long) long=1 form='' && export IMAGEFORGE_FUZZ_FACTOR=${IMAGEFORGE_FUZZ_FACTOR:-5} ;;
            -*) die "unknown option $1 (known: --long)" ;;
            *) only+=("$1") ;;
        esac
        shift
    done
    wanted() { [ ${#only[@]} = 0 ] || printf '%s\n' "${only[@]}" | grep -qx "$1"; }

    need_dotnet
    need_node
    need_packages "$build_needs$lab_needs"
    rm -rf "$build/test"
    mkdir -p "$build/test"
    quietly "restoring packages" dotnet restore ImageForge.sln
    quietly "building everything" dotnet build ImageForge.sln -c Release --no-restore -v q
    if wanted format; then check format dotnet format ImageForge.sln --no-restore --verify-no-changes; fi
    if wanted shellcheck; then check shellcheck scripts_are_clean; fi

    # Fast suites first: most mistakes are told within minutes.
    for name in $(cd tests && for p in */*.csproj; do echo "${p%%/*}"; done | grep -vxE 'Bench|Demo|Lab|EndToEnd|MulticastPeer'); do
        limit=1200
        [ -z "$long" ] || limit=3600
        if wanted "$name"; then suite "$name" "$limit" "$form"; fi
    done
    if wanted EndToEnd; then
        if [ "$(id -u)" != 0 ]; then
            echo "EndToEnd: the virtual lab makes network namespaces and needs root: sudo ./forge test"
            failed=$((failed + 1))
        else
            build_server
            build_agent
            build_live
            build_boot_files
            limit=2700
            [ -z "$long" ] || limit=7200
            suite EndToEnd "$limit" "$form"
        fi
    fi
    line="$passed passed, $failed failed, $skipped skipped"
    [ -z "$long" ] || [ ${#only[@]} -gt 0 ] || write_long_result "$line in $(((SECONDS - started) / 60)) minutes"
    echo "all of it: $((SECONDS - started)) s"
    echo "$line"
    [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}
