import pytest
from harness.weir_server import Weir


@pytest.fixture
def weir(tmp_path):
    """A running server with the projects app and website."""
    with Weir(tmp_path / "data") as server:
        yield server
