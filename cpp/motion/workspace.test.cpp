#include "motion/workspace.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <initializer_list>
#include <memory>

using namespace ktc;

namespace {

Posts filled() {
    Posts posts;
    posts.heat_per_account.resize(2 * block_width);
    posts.clear();
    double value = 1.0;
    for (double* account :
         {posts.heat, posts.supply, posts.source, posts.injected, posts.shadow, posts.entropy,
          posts.heat_per_account.data(), posts.heat_per_account.data() + block_width})
        std::fill_n(account, block_width, value++);
    return posts;
}

}  // namespace

TEST_CASE("an itemised move posts every account that it used") {
    Ledger ledger(std::make_shared<const Accounts>(2));
    Posts posts = filled();
    posts.has_source = true;
    posts.post_to(ledger);
    posts.has_shadow = true;
    posts.post_to(ledger);
    const auto balance = [&](std::size_t account) { return ledger.balance(account, 17); };
    CHECK(balance(Ledger::work) == 0.0);
    CHECK(balance(Ledger::heat) == 2.0);
    CHECK(balance(Ledger::supply) == 4.0);
    CHECK(balance(Ledger::source) == 6.0);
    CHECK(balance(Ledger::injected) == 0.0);
    CHECK(balance(Ledger::shadow) == 5.0);
    CHECK(balance(Ledger::entropy) == 12.0);
    CHECK(balance(Ledger::first_heat) == 14.0);
    CHECK(balance(Ledger::first_heat + 1) == 16.0);
}

TEST_CASE("other moves post heat and supply alone") {
    Ledger ledger(std::make_shared<const Accounts>(2));
    Posts posts = filled();
    posts.itemised = false;
    posts.has_source = true;
    posts.post_to(ledger);
    CHECK(ledger.balance(Ledger::heat, 0) == 1.0);
    CHECK(ledger.balance(Ledger::source, 0) == 0.0);
    CHECK(ledger.balance(Ledger::entropy, 0) == 0.0);
    CHECK(ledger.balance(Ledger::first_heat, 0) == 0.0);
}

TEST_CASE("an itemised move begins with empty posts") {
    Posts posts = filled();
    posts.has_injected = true;
    posts.clear();
    CHECK(posts.itemised);
    CHECK_FALSE(posts.has_injected);
    CHECK(posts.heat[5] == 0.0);
    CHECK(posts.heat_per_account[100] == 0.0);
}
