import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))


@pytest.fixture
def library():
    """The private ClickHouse's library, where weir looks for it as well."""
    import weir
    if "WEIR_LIBCHDB" in os.environ:
        return pathlib.Path(os.environ["WEIR_LIBCHDB"])
    return weir.ROOT / "build/engine/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so"
