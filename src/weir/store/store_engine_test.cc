#include <gtest/gtest.h>

#include "weir/store/testing/private_engine.h"
#include "weir/store/testing/store_contract.h"

int main(int argc, char** argv) { return weir::store::testing::engine_test_main(argc, argv); }

namespace weir::store::testing {
namespace {

Store& private_store() { return PrivateEngine::shared().store(); }
INSTANTIATE_TEST_SUITE_P(Private, StoreContract,
                         ::testing::Values(Implementation{"private", private_store, engine_missing}));

class StoreEngine : public EngineTest {};

}  // namespace
}  // namespace weir::store::testing
