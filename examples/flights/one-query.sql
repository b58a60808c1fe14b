-- What job.yaml computes, as one query for DuckDB alone; the demo and the benchmark compare against it. To be run in
-- the folder of the checkout: the paths are relative to it.
WITH hours AS (
  SELECT a.state, hour(f.date) AS hour, count(*) AS flights, sum(f.delay) / count(*) AS mean_delay
  FROM 'node_modules/vega-datasets/data/flights-3m.parquet' f
  JOIN 'node_modules/vega-datasets/data/airports.csv' a ON f.origin = a.iata
  WHERE f.delay > 15
  GROUP BY a.state, hour(f.date)
), ranked AS (
  SELECT *, row_number() OVER (PARTITION BY state ORDER BY mean_delay DESC, hour) AS place
  FROM hours
  WHERE flights >= 100
)
SELECT state, hour, flights, round(mean_delay, 1) AS mean_delay,
       CASE WHEN mean_delay < 60 THEN 'bearable' WHEN mean_delay < 120 THEN 'long' ELSE 'bring a book' END AS grade
FROM ranked
WHERE place = 1
