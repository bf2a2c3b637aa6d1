"""What people read data with reads it through cas:// URLs: pandas, pyarrow, DuckDB, Polars, Dask, Spark."""

import io
import shutil
import sys
from collections.abc import Iterator

import dask.bag
import dask.dataframe
import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import pytest
from dask.base import compute
from dask.bytes.core import read_bytes
from distributed import Client, LocalCluster
from pyarrow import csv

from casfs.emulator.server import Server
from casfs.fsspec.filesystem import CasFileSystem
from tests.data.service import sample
from tests.fsspec.service import KEYS, MIB, serving

ROWS = 200_000
TABLE = pa.table({"number": range(ROWS), "name": [f"row {number % 1000}" for number in range(ROWS)]})
TOTAL = ROWS * (ROWS - 1) // 2
PARQUET, CSV = "tables/parquet/output", "tables/csv/output"


def as_parquet() -> bytes:
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(TABLE, buffer, row_group_size=20_000, use_dictionary=False)
    return buffer.getvalue()


def as_csv() -> bytes:
    buffer = io.BytesIO()
    csv.write_csv(TABLE, buffer)
    return buffer.getvalue()


@pytest.fixture
def tables() -> Iterator[Server]:
    with serving(
        {"tables/parquet": as_parquet(), "tables/csv": as_csv(), "parts/a": as_parquet(), "parts/b": as_parquet()}
    ) as (
        server,
        _,
    ):
        yield server
    CasFileSystem.clear_instance_cache()


@pytest.fixture
def fs(tables: Server) -> Iterator[CasFileSystem]:
    made = CasFileSystem(tables.url)
    yield made
    made.close()


def test_pandas(tables: Server) -> None:
    options = {"source": tables.url}
    read = [
        pd.read_csv(f"cas://{CSV}", storage_options=options),
        pd.read_parquet(f"cas://{PARQUET}", storage_options=options),
    ]
    assert [(len(frame), frame["number"].sum()) for frame in read] == [(ROWS, TOTAL)] * 2


def test_pyarrow(fs: CasFileSystem) -> None:
    assert pyarrow.parquet.read_table(PARQUET, filesystem=fs).equals(TABLE)
    dataset = pyarrow.dataset.dataset("parts", filesystem=fs, format="parquet")
    assert sorted(dataset.files) == ["parts/a/output", "parts/b/output"]
    assert dataset.count_rows() == 2 * ROWS
    assert dataset.to_table(filter=pyarrow.dataset.field("number") < 10).num_rows == 20


def test_duckdb(fs: CasFileSystem) -> None:
    tables = pyarrow.dataset.dataset("parts", filesystem=fs, format="parquet")
    with duckdb.connect() as database:
        database.register("tables", tables)
        assert database.sql("select sum(number) from tables").fetchall() == [(2 * TOTAL,)]
        # not read_parquet: DuckDB 2.0.1 shares one position among its threads, and gave wrong sums of local files too
        database.register_filesystem(fs)
        assert database.sql(f"select sum(number) from read_csv('cas://{CSV}')").fetchall() == [(TOTAL,)]
        assert database.sql("select count(*) from glob('cas://parts/*/output')").fetchall() == [(2,)]


def test_polars(fs: CasFileSystem) -> None:
    with fs.open(CSV) as file:
        assert pl.read_csv(file)["number"].sum() == TOTAL
    with fs.open(PARQUET) as file:
        assert pl.read_parquet(file, columns=["number"])["number"].sum() == TOTAL
    dataset = pyarrow.dataset.dataset("parts", filesystem=fs, format="parquet")
    assert pl.scan_pyarrow_dataset(dataset).filter(pl.col("number") < 5).collect().height == 10


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Start two processes that find their key in their own environment."""
    secret_id, secret_key = next(iter(KEYS.items()))
    env = {"CASFS_SECRET_ID": secret_id, "CASFS_SECRET_KEY": secret_key, "HOME": str(tmp_path_factory.mktemp("home"))}
    with (
        LocalCluster(n_workers=2, threads_per_worker=2, processes=True, dashboard_address=":0", env=env) as workers,
        Client(workers) as client,
    ):
        yield client


def ranges(server: Server) -> list[str]:
    return [str(record.range) for record in server.requests if record.operation == "get_job_output"]


def test_dask_reads_in_processes_each_its_own_ranges(cluster: Client, tables: Server) -> None:
    options = {"source": tables.url}
    frame = dask.dataframe.read_parquet(f"cas://{PARQUET}", storage_options=options)
    assert frame["number"].sum().compute() == TOTAL
    frame = dask.dataframe.read_csv(f"cas://{CSV}", blocksize=MIB, storage_options=options)
    assert frame.npartitions > 1
    assert frame["number"].sum().compute() == TOTAL
    with pytest.raises(FileNotFoundError, match="none"):
        cluster.submit(CasFileSystem(tables.url).cat_file, "tables/none/output").result(timeout=120)
    data = sample(16 * MIB)
    with serving({"bulk/big": data}) as (server, _):
        fs = CasFileSystem(server.url, read_ahead=0)
        starts = [number * MIB for number in range(16)]
        read = [cluster.submit(fs.cat_file, "bulk/big/output", start, start + MIB) for start in starts]
        assert b"".join(cluster.gather(read)) == data
        assert sorted(ranges(server)) == sorted(f"bytes={start}-{start + MIB - 1}" for start in starts)
        _, blocks = read_bytes("cas://bulk/big/output", blocksize=4 * MIB, source=server.url)
        assert b"".join(compute(*blocks[0])) == data


def test_dask_bag_reads_lines_in_processes(cluster: Client, tables: Server) -> None:
    lines = dask.bag.read_text(f"cas://{CSV}", blocksize=MIB, storage_options={"source": tables.url})
    assert lines.npartitions > 1
    assert lines.count().compute() == ROWS + 1
    assert lines.map(lambda line: line.startswith(("number", '"number"'))).sum().compute() == 1


@pytest.mark.long
@pytest.mark.skipif(shutil.which("java") is None, reason="java is not installed")
def test_spark_reads_in_its_python_workers_each_its_own_ranges(tables: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is not installed")
    secret_id, secret_key = next(iter(KEYS.items()))
    monkeypatch.setenv("CASFS_SECRET_ID", secret_id)
    monkeypatch.setenv("CASFS_SECRET_KEY", secret_key)
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    spark = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    try:
        size = len(as_csv())
        fs = CasFileSystem(tables.url, read_ahead=0)
        spans = [(start, min(start + MIB, size)) for start in range(0, size, MIB)]
        read = spark.sparkContext.parallelize(spans, len(spans)).map(lambda span: fs.cat_file(CSV, *span))
        assert b"".join(read.collect()) == as_csv()
    finally:
        spark.stop()
