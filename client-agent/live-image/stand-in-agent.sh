#!/bin/sh
# Stands in for the agent when the live image is built with `build.sh --agent stand-in-agent.sh`:
# shows what the agent would see, then stays. For work on the live image itself.
for file in /sys/block/*/size; do
    [ "$(cat "$file")" -gt 0 ] && echo "stand-in agent: disk ${file%/size} $(cat "$file") sectors"
done
echo "stand-in agent: $(wc -l < /proc/modules) modules, $(sed -n 's/MemAvailable: *//p' /proc/meminfo) available"
echo "stand-in agent: command line $(cat /proc/cmdline)"
exit 11
