"""`make bench`: every benchmark, one after another."""

from benchmarks import assembly_bench, calibration_bench, engine_bench, item_formats_bench, scoring_bench

for bench in (item_formats_bench, calibration_bench, scoring_bench, engine_bench, assembly_bench):
    bench.main()
