# Draws docs/images/image_to_image.svg: the mean distance of translations from their partners, from epoch to epoch. The numbers
# are l1 of the run's metrics.csv, of
#   image_to_image train TASK --threads 1 --seed SEED --out RUN
# with --loss l1 (outline2emoji: and --epochs 30), --loss gan, --generator encoder-decoder (no skips) where a line's title says so;
# 2026-11-30.
#   gnuplot docs/images/image_to_image.gp
set terminal svg size 900,520 font "sans-serif,11" background "#ffffff"
set output "docs/images/image_to_image.svg"
set multiplot layout 1,2
set xlabel "epoch"
set ylabel "L1"
set grid lc rgb "#dddddd" lt 1
set bmargin 9
set key below vertical maxrows 4 maxcols 2 Left reverse width 1
$e1 << END
1 0.0579
2 0.0550
3 0.0534
4 0.0521
END
$e2 << END
1 0.0611
2 0.0560
3 0.0539
4 0.0526
END
$e3 << END
1 0.0578
2 0.0576
3 0.0537
4 0.0527
END
$e4 << END
1 0.0542
2 0.0515
3 0.0499
4 0.0480
END
$e5 << END
1 0.0575
2 0.0525
3 0.0499
4 0.0480
END
$e6 << END
1 0.0543
2 0.0536
3 0.0494
4 0.0480
END
$o1 << END
1 0.0829
2 0.0743
3 0.0729
4 0.0723
5 0.0678
6 0.0680
7 0.0662
8 0.0702
9 0.0683
10 0.0684
11 0.0649
12 0.0659
13 0.0650
14 0.0656
15 0.0674
16 0.0658
17 0.0652
18 0.0659
19 0.0653
20 0.0651
END
$o2 << END
1 0.0860
2 0.0782
3 0.0788
4 0.0744
5 0.0694
6 0.0689
7 0.0699
8 0.0676
9 0.0664
10 0.0617
11 0.0652
12 0.0631
13 0.0660
14 0.0641
15 0.0642
16 0.0632
17 0.0647
18 0.0637
19 0.0627
20 0.0628
END
$o3 << END
1 0.0852
2 0.0692
3 0.0661
4 0.0627
5 0.0604
6 0.0600
7 0.0603
8 0.0574
9 0.0578
10 0.0564
11 0.0577
12 0.0564
13 0.0574
14 0.0556
15 0.0560
16 0.0555
17 0.0556
18 0.0549
19 0.0547
20 0.0552
21 0.0543
22 0.0550
23 0.0548
24 0.0544
25 0.0536
26 0.0539
27 0.0536
28 0.0538
29 0.0535
30 0.0535
END
$o4 << END
1 0.1210
2 0.1075
3 0.1074
4 0.1206
5 0.0986
6 0.0968
7 0.0864
8 0.0834
9 0.0889
10 0.0855
11 0.0847
12 0.0797
13 0.0807
14 0.0754
15 0.0779
16 0.0753
17 0.0760
18 0.0763
19 0.0745
20 0.0743
END
$o5 << END
1 0.1268
2 0.1145
3 0.1123
4 0.1142
5 0.0987
6 0.0985
7 0.0938
8 0.0906
9 0.0861
10 0.0938
11 0.0834
12 0.0774
13 0.0844
14 0.0780
15 0.0811
16 0.0776
17 0.0758
18 0.0764
19 0.0759
20 0.0772
END
$o6 << END
1 0.1352
2 0.1320
3 0.1278
4 0.1342
5 0.1293
6 0.1168
7 0.1216
8 0.1242
9 0.1195
10 0.1197
11 0.1187
12 0.1211
13 0.1150
14 0.1147
15 0.1134
16 0.1107
17 0.1109
18 0.1112
19 0.1111
20 0.1107
END
$o7 << END
1 0.1363
2 0.1292
3 0.1293
4 0.1298
5 0.1237
6 0.1257
7 0.1256
8 0.1267
9 0.1257
10 0.1198
11 0.1192
12 0.1174
13 0.1205
14 0.1108
15 0.1113
16 0.1109
17 0.1114
18 0.1107
19 0.1103
20 0.1100
END

set title "edges2fashion, 500 validation pictures"
set xrange [1:4]
set xtics 1
set yrange [0.046:0.062]
plot $e1 with lines lw 2 lc rgb "#1b7a3d" title "L1 + GAN, seed 1", \
     $e2 with lines lw 2 lc rgb "#5fa87a" title "seed 2", \
     $e3 with lines lw 2 lc rgb "#9fd0b0" title "seed 3", \
     $e4 with lines lw 2 lc rgb "#2a7fb8" title "L1 alone, seed 1", \
     $e5 with lines lw 2 lc rgb "#6fabd2" title "seed 2", \
     $e6 with lines lw 2 lc rgb "#aed0e6" title "seed 3"

set title "outline2emoji, 192 validation pictures"
set xrange [1:30]
set xtics 5
set yrange [0.05:0.16]
plot $o1 with lines lw 2 lc rgb "#1b7a3d" title "L1 + GAN, seed 1", \
     $o2 with lines lw 2 lc rgb "#9fd0b0" title "seed 3", \
     $o3 with lines lw 2 lc rgb "#2a7fb8" title "L1 alone, seed 3", \
     $o4 with lines lw 2 lc rgb "#cc7a00" title "GAN alone, seed 1", \
     $o5 with lines lw 2 lc rgb "#e8bd80" title "seed 3", \
     $o6 with lines lw 2 lc rgb "#888888" title "no skips, seed 1", \
     $o7 with lines lw 2 lc rgb "#c4c4c4" title "seed 3"
unset multiplot
