# Filters the output of libFuzzer and shows its progress in one line. On a terminal (terminal=1) the line is overwritten; elsewhere it
# is repeated for every twentieth of the executions (runs=…), or whenever their number has doubled.

function number(digits,    grouped) {
    for (grouped = ""; length(digits) > 3; digits = substr(digits, 1, length(digits) - 3))
        grouped = "," substr(digits, length(digits) - 2) grouped
    return digits grouped
}

/^#[0-9]+\t/ {
    done = substr($1, 2) + 0
    for (field = 2; field < NF; field++) value[$field] = $(field + 1)
    if (!terminal && done < next_line && $2 != "DONE") next
    next_line = runs > 0 ? done + runs / 20 : done * 2
    line = number(done "") (runs > 0 ? " of " number(runs "") : "") " executions, " number(value["exec/s:"] "") " a second, "
    line = line value["cov:"] " edges covered"
    printf terminal ? "\r%-90s" : "%s\n", line
    is_open = terminal
    fflush()
    next
}

# Suggestions for a dictionary, and warnings about missing sanitizers.
/# Uses: [0-9]+$/ || /^###### / || /^WARNING: Failed to find function "__sanitizer_/ { next }

{
    if (is_open) print ""
    is_open = 0
    print
    fflush()
}
