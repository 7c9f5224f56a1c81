#!/bin/sh
# Every public header compiles alone, as strict C11 and as C++, without a warning.
#   headers.sh INCLUDE_DIR [C_COMPILER [CXX_COMPILER]]
set -eu
include=$1
cc=${2:-cc}
cxx=${3:-c++}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
strict='-pedantic-errors -Wall -Wextra -Wconversion -Wshadow -Werror'
languages='C11'
if command -v "$cxx" >/dev/null 2>&1; then
    languages='C11 and C++11'
fi
count=0
for header in "$include"/sqa_cl.h "$include"/sqa_cl/*.h; do
    name=${header#"$include"/}
    # Twice: the include guard must hold.
    printf '#include "%s"\n#include "%s"\nint main(void) { return 0; }\n' "$name" "$name" \
        >"$work/alone.c"
    cp "$work/alone.c" "$work/alone.cpp"
    # strict is a list of options.
    # shellcheck disable=SC2086
    "$cc" -std=c11 $strict -I"$include" -fsyntax-only "$work/alone.c"
    if [ "$languages" != C11 ]; then
        # shellcheck disable=SC2086
        "$cxx" -std=c++11 $strict -I"$include" -fsyntax-only "$work/alone.cpp"
    fi
    count=$((count + 1))
done
# The initialisers must be usable from both languages too.
cat >"$work/use.c" <<'END'
#include "sqa_cl.h"
int main(void)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    sqa_context_options context = SQA_CONTEXT_OPTIONS_INIT;
    sqa_plan_options plan = SQA_PLAN_OPTIONS_INIT;
    sqa_select_options select = SQA_SELECT_OPTIONS_INIT;
    sqa_backward_options backward = SQA_BACKWARD_OPTIONS_INIT;
    sqa_backward_tensors gradients = SQA_BACKWARD_TENSORS_INIT;
    sqa_tensors tensors = SQA_TENSORS_INIT;
    return (int)(desc.version + context.version + plan.version + select.version +
                 tensors.version + backward.version + gradients.version);
}
END
cp "$work/use.c" "$work/use.cpp"
# shellcheck disable=SC2086
"$cc" -std=c11 $strict -I"$include" -fsyntax-only "$work/use.c"
if [ "$languages" != C11 ]; then
    # shellcheck disable=SC2086
    "$cxx" -std=c++11 $strict -I"$include" -fsyntax-only "$work/use.cpp"
fi
echo "$count headers compile alone as $languages"
