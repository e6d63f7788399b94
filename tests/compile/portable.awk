# Reads what `objdump -d --no-show-raw-insn -C` says of an object file. Fails where a function of the portable kernels has
# an instruction that some x86-64 processor lacks, and where there are no such functions.
/^[0-9a-f]+ <.*>:/ { name = $0; ours = name ~ /portable::/; functions += ours }
ours && ($2 ~ /^v[a-z]/ || # AVX and what came after it
         $2 ~ /^(andn|bextr|blsi|blsr|bzhi|lzcnt|movbe|mulx|popcnt|rorx|sarx|shlx|shrx|tzcnt)$/ ||
         $2 ~ /^(pshufb|phadd[wd]|pabs[bwd]|palignr|pmulld|p(min|max)([su]d|sb|uw)|p[mi]ovzx..|pmovsx..)$/ ||
         $2 ~ /^(blendv.*|pblend.*|round[sp][sd]|ptest|insertps|p(ins|ext)r[bdq]|haddp[sd]|movs[lh]dup|movddup|lddqu)$/) {
  print name " " $2
  found = 1
}
END {
  print functions + 0 " portable functions"
  exit found || !functions
}
