// Columns and batches: what is appended is what a view shows.
#include "host/engine/batch.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace windrow {

TEST(BatchTest, NullsAreMarkedFromTheFirstOnAtEverySize) {
  for (std::size_t n : {0U, 1U, 31U, 32U, 33U, 63U, 64U, 65U, 130U}) {
    for (std::size_t null_at = 0; null_at <= n; ++null_at) {
      Column column(ValueType::integer);
      for (std::size_t i = 0; i < n; ++i) {
        if (i == null_at) {
          column.append_null();
        } else {
          column.append(static_cast<std::int64_t>(i) - 5);
        }
      }
      ColumnView const view = column.view();
      EXPECT_EQ(view.valid.empty(), null_at == n);
      for (std::size_t i = 0; i < n; ++i) {
        ASSERT_EQ(view.is_valid(i), i != null_at) << n << " " << i;
        ASSERT_EQ(view.integers()[i], i == null_at ? 0 : static_cast<std::int64_t>(i) - 5);
      }
    }
  }
}

TEST(BatchTest, TextIsAppendedInOnePieceOrInParts) {
  Column column(ValueType::string);
  column.append_text("ab");
  column.append_null();
  column.open_text() += "c";
  column.open_text() += "d";
  column.end_text();
  column.append_text("");
  ColumnView const view = column.view();
  EXPECT_EQ(view.text(0), "ab");
  EXPECT_EQ(view.text(1), "");
  EXPECT_TRUE(view.at(1).is_null());
  EXPECT_EQ(view.text(2), "cd");
  EXPECT_EQ(view.at(3).text, "");
  EXPECT_FALSE(view.at(3).is_null());
}

TEST(BatchTest, RunsAreTheRowsAppendedOneByOne) {
  for (std::size_t const n : {0U, 1U, 31U, 63U, 64U, 65U, 200U}) {
    for (bool const after_null : {false, true}) {
      Column words(ValueType::integer), booleans(ValueType::boolean), texts(ValueType::string);
      std::vector<std::int64_t> run;
      std::vector<std::string> kept;
      std::vector<std::string_view> views;
      for (std::size_t i = 0; i < n; ++i) {
        run.push_back(static_cast<std::int64_t>(i % 3) - 1);
        kept.emplace_back(i % 20, 't');
      }
      views.assign(kept.begin(), kept.end());
      for (Column* const column : {&words, &booleans, &texts}) {
        if (after_null) {
          column->append_null();
        }
        column == &texts ? column->append_texts(views) : column->append_words(run);
        column->append_null();
        ASSERT_EQ(column->size(), n + 1 + (after_null ? 1 : 0));
      }
      for (std::size_t i = 0; i < n; ++i) {
        std::size_t const row = i + (after_null ? 1 : 0);
        ASSERT_TRUE(words.view().is_valid(row) && texts.view().is_valid(row));
        ASSERT_EQ(words.view().integers()[row], run[i]);
        ASSERT_EQ(booleans.view().booleans()[row], run[i] != 0);
        ASSERT_EQ(texts.view().text(row), views[i]);
      }
      ASSERT_FALSE(words.view().is_valid(words.size() - 1));
    }
  }
}

TEST(BatchTest, AnIntegerWidensInANumberColumn) {
  Column column(ValueType::number);
  column.append(Scalar::of(std::int64_t{3}));
  column.append(Scalar::of(0.5));
  column.append(Scalar::null());
  EXPECT_EQ(column.view().numbers()[0], 3.0);
  EXPECT_EQ(column.view().numbers()[1], 0.5);
  EXPECT_TRUE(column.view().at(2).is_null());
}

TEST(BatchTest, ColumnsOfEveryTypeAreCopiedRowByRow) {
  std::string list;
  ContainerEncoder encoder(Scalar::Kind::list, list);
  encoder.add(Scalar::of(true));
  encoder.close();
  std::vector<Scalar> const values{Scalar::of(true),      Scalar::of(std::int64_t{4}),
                                   Scalar::of(1.5),       Scalar::of_string("s"),
                                   Scalar::of_bytes("b"), Scalar::of_encoded(list)};
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto const type = static_cast<ValueType>(i);
    Column from(type), to(type);
    from.append(values[i]);
    from.append_null();
    from.append(values[i]);
    for (std::size_t row : {0U, 1U, 2U}) {
      to.append(from.view(), row);
    }
    EXPECT_EQ(compare(to.view().at(0), values[i]), 0);
    EXPECT_TRUE(to.view().at(1).is_null());
    EXPECT_EQ(compare(to.view().at(2), values[i]), 0);
    EXPECT_EQ(to.size(), 3U);
  }
}

TEST(BatchTest, ResetKeepsNothingOfTheOldRows) {
  Schema const schema{
      {{"a", {ValueType::integer, {}}, true}, {"b", {ValueType::string, {}}, true}}};
  EventBatch batch;
  for (int round = 0; round < 2; ++round) {
    batch.reset(schema);
    EXPECT_EQ(batch.view().rows, 0U);
    batch.event_time.push_back(EventTime{7});
    batch.columns[0].append_null();
    batch.columns[1].append_text("x");
    EventBatchView const view = batch.view();
    ASSERT_EQ(view.rows, 1U);
    EXPECT_EQ(view.columns[1].text(0), "x");
    EXPECT_TRUE(view.origin.empty());
  }
}

// A cell is null where the pair's first is false.
RC_GTEST_PROP(BatchTest, AColumnHoldsWhatWasAppended,
              (std::vector<std::pair<bool, std::int64_t>> cells)) {
  Column column(ValueType::integer);
  for (auto const& [valid, v] : cells) {
    column.append(valid ? Scalar::of(v) : Scalar::null());
  }
  RC_ASSERT(column.size() == cells.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    Scalar const at = column.view().at(i);
    RC_ASSERT(at.is_null() != cells[i].first);
    RC_ASSERT(at.is_null() || at.integer == cells[i].second);
  }
}

TEST(BatchTest, AppendingAllRowsEqualsAppendingEach) {
  for (ValueType const type : {ValueType::boolean, ValueType::integer, ValueType::string}) {
    for (int const with_nulls : {0, 1, 2, 3}) {  // bit 0: in the target, bit 1: in what is added
      auto const fill = [&](Column& column, int rows, bool nulls) {
        for (int row = 0; row < rows; ++row) {
          if (nulls && row % 3 == 1) {
            column.append_null();
          } else if (type == ValueType::boolean) {
            column.append(row % 2 == 0);
          } else if (type == ValueType::integer) {
            column.append(std::int64_t{row});
          } else {
            column.append_text(std::string(static_cast<std::size_t>(row % 5), 'x'));
          }
        }
      };
      Column at_once(type), one_by_one(type), added(type);
      fill(at_once, 70, (with_nulls & 1) != 0);
      fill(one_by_one, 70, (with_nulls & 1) != 0);
      fill(added, 65, (with_nulls & 2) != 0);
      at_once.append_all(added);
      for (std::size_t row = 0; row < added.size(); ++row) {
        one_by_one.append(added.view(), row);
      }
      ASSERT_EQ(at_once.size(), one_by_one.size());
      for (std::size_t row = 0; row < at_once.size(); ++row) {
        EXPECT_EQ(compare(at_once.view().at(row), one_by_one.view().at(row)), 0);
      }
    }
  }
}

}  // namespace windrow
