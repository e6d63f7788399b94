# Draws docs/images/anytime.svg: how far the samples of each recipe are from the test images after so many seconds on two
# cores. The numbers are frechet_distance of the run's metrics.csv, at its epochs times the seconds of one (35.4 of default
# and dcgan, 9.5 of dense and conditional), of
#   mnist_gan train --data data/mnist --recipe NAME --seed 1 --evaluate-every 1 --out RUN
# with --seed 3 for dcgan and --evaluate-every 2 for dense and conditional; yardstick 2, 2026-11-30.
#   gnuplot docs/images/anytime.gp
set terminal svg size 900,480 font "sans-serif,13" background "#ffffff"
set output "docs/images/anytime.svg"
set title "Frechet distance of 2,000 samples from the test images, yardstick 2"
set xlabel "seconds of training on two cores"
set ylabel "Frechet distance"
set logscale xy
set xrange [15:1000]
set xtics (20, 35, 60, 100, 200, 400, 750)
set yrange [3:200]
set ytics (3, 5, 10, 20, 50, 100, 200)
set grid lc rgb "#dddddd" lt 1
set key top right

$default << END
35.4 21.4
70.8 10.4
106 7.0
142 5.8
END
$dense << END
19 146
38 61.6
57 35.3
76 25.9
95 22.7
114 20.9
133 22.4
END
$conditional << END
19 93.3
38 42.1
57 26.2
76 18.3
95 15.4
114 14.8
133 14.5
END
$dcgan << END
35 17.47
71 10.07
106 8.21
142 9.20
177 7.36
212 7.95
248 7.72
283 9.26
319 8.26
354 9.17
389 8.69
425 7.66
460 6.26
496 5.35
531 4.83
566 4.51
602 4.16
637 3.87
673 3.65
708 3.56
743 3.57
END

plot $dense with linespoints pt 7 ps 0.5 lw 2 lc rgb "#888888" title "dense", \
     $conditional with linespoints pt 7 ps 0.5 lw 2 lc rgb "#cc7a00" title "conditional", \
     $default with linespoints pt 7 ps 0.5 lw 2 lc rgb "#2a7fb8" title "default", \
     $dcgan with linespoints pt 7 ps 0.5 lw 2 lc rgb "#1b7a3d" title "dcgan (seed 3)"
